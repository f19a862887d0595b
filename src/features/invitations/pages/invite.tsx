import { Field, HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView, NewPassword } from '../../../pages/parts.tsx'
import type { Invited } from '../invitations.ts'
import { invitationTexts } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface InviteShown {
  /** The account of the invitation; undefined when the link does not work. */
  invited: Invited | undefined
  minLength: number
  problem?: FormProblem | undefined
}

/** The form for the username and the password, or the page that says that the link does not work. */
export function inviteView(visit: Visit, { invited, minLength, problem }: InviteShown): View {
  const texts = invitationTexts[visit.locale]
  if (!invited) return deadView(texts.dead)
  const isTaken = problem?.code === 'username_taken'
  const isRefused = problem?.errors.some(({ field }) => field === 'username')
  const error = isTaken ? texts.usernameTaken : isRefused ? texts.invalidUsername : undefined
  // One field of the page can have the focus: the first one with an error.
  const ofPassword = error === undefined ? problem : undefined
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={isTaken ? undefined : problem?.notice} />
        <Account text={texts.account} email={invited.email} />
        {invited.isFirstAdmin && <p>{texts.firstAdmin}</p>}
        {invited.isFirstAdmin && !invited.mayRename && <p>{texts.existing}</p>}
        <p>{texts.effect}</p>
        <Form action={visit.link('/invite')} hidden={{ token: visit.input.token ?? '' }} button={texts.button}>
          {invited.mayRename ? (
            <Field
              name="username"
              label={texts.username}
              autocomplete="username"
              value={visit.input.username ?? invited.username}
              error={error}
              focus={error !== undefined}
            />
          ) : (
            <HiddenUsername username={invited.username} />
          )}
          <NewPassword visit={visit} name="password" minLength={minLength} problem={ofPassword} />
        </Form>
      </>
    ),
  }
}

export const inviteDone = (visit: Visit): View => doneView(visit, invitationTexts[visit.locale].done)
