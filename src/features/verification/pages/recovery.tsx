import { Field, HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView } from '../../../pages/parts.tsx'
import type { User } from '../../users/users.ts'
import { textsFor } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface RecoveryShown {
  /** The account whose second factors the link removes; undefined when the link does not work. */
  user: User | undefined
  problem?: FormProblem | undefined
}

/** The form that asks for the password, because the link alone removes nothing. */
export function recoveryView(visit: Visit, { user, problem }: RecoveryShown): View {
  const texts = textsFor(visit).recovery
  if (!user) return deadView(texts.dead)
  const isMissing = problem?.errors.some(({ field }) => field === 'password') === true
  const wrong = problem?.code === 'invalid_password' ? texts.wrongPassword : undefined
  const error = isMissing ? texts.missingPassword : wrong
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={error === undefined ? problem?.notice : undefined} />
        <Account text={texts.account} email={user.email} />
        <p>{texts.effect}</p>
        <Form action={visit.link('/factor-recovery')} hidden={{ token: visit.input.token ?? '' }} button={texts.button}>
          <HiddenUsername username={user.username} />
          <Field
            name="password"
            label={texts.password}
            autocomplete="current-password"
            error={error}
            focus={error !== undefined}
          />
        </Form>
      </>
    ),
  }
}

export const recoveryDone = (visit: Visit): View => doneView(visit, textsFor(visit).recovery.done)
