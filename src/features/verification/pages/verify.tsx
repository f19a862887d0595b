import { Field, HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView, NewPassword, textsFor } from './parts.tsx'

/** What the page shows besides the texts. */
export interface VerifyShown {
  /** The account whose address the link proves; undefined when the link does not work. */
  account: { email: string; username: string } | undefined
  minLength: number
  problem?: FormProblem | undefined
}

/**
 * Two forms: one asks for the password of the account, the other sets a new password. To read the mail is not enough:
 * somebody else may have made the account, and would keep its password.
 */
export function verifyView(visit: Visit, { account, minLength, problem }: VerifyShown): View {
  const texts = textsFor(visit).verify
  if (!account) return deadView(texts.dead)
  const isNew = 'new_password' in visit.input
  const error = passwordError(visit, problem)
  const form = { action: visit.link('/verify'), hidden: { token: visit.input.token ?? '' } }
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={error ? undefined : problem?.notice} />
        <Account text={texts.account} email={account.email} />
        <p>{texts.why}</p>
        <Form {...form} button={texts.button}>
          <HiddenUsername username={account.username} />
          <Field
            name="password"
            label={texts.password}
            autocomplete="current-password"
            error={error}
            focus={error !== undefined}
          />
        </Form>
        <details class="other" open={isNew}>
          <summary>{texts.other.summary}</summary>
          <p>{texts.other.effect}</p>
          <Form {...form} button={texts.other.button}>
            <HiddenUsername username={account.username} />
            <NewPassword visit={visit} name="new_password" minLength={minLength} problem={problem} />
          </Form>
        </details>
      </>
    ),
  }
}

/** The error of the field for the password of the account. */
function passwordError(visit: Visit, problem: FormProblem | undefined): string | undefined {
  const { wrongPassword, missingPassword } = textsFor(visit).verify
  if (problem?.code === 'invalid_password') return wrongPassword
  return problem?.errors.some(({ field }) => field === 'password') ? missingPassword : undefined
}

export const verifyDone = (visit: Visit): View => doneView(visit, textsFor(visit).verify.done)
