import { HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView, NewPassword } from '../../../pages/parts.tsx'
import type { User } from '../../users/users.ts'
import { textsFor } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface ResetShown {
  /** The account whose password the link sets; undefined when the link does not work. */
  user: User | undefined
  minLength: number
  problem?: FormProblem | undefined
}

/** The form for a new password, or the page that says that the link does not work. */
export function resetView(visit: Visit, { user, minLength, problem }: ResetShown): View {
  const { title, account, effect, button, dead, askAgain } = textsFor(visit).reset
  if (!user) return deadView(dead, { label: askAgain, href: visit.link('/forgot') })
  return {
    title,
    content: (
      <>
        <ProblemNotice says={problem?.notice} />
        <Account text={account} email={user.email} />
        <p>{effect}</p>
        <Form action={visit.link('/reset')} hidden={{ token: visit.input.token ?? '' }} button={button}>
          <HiddenUsername username={user.username} />
          <NewPassword visit={visit} name="password" minLength={minLength} problem={problem} />
        </Form>
      </>
    ),
  }
}

export const resetDone = (visit: Visit): View => doneView(visit, textsFor(visit).reset.done)
