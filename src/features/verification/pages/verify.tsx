import { Field, HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView, doneView, NewPassword } from '../../../pages/parts.tsx'
import type { WeaknessReason } from '../../passwords/passwords.ts'
import { textsFor } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface VerifyShown {
  /** The account whose address the link proves; undefined when the link does not work. */
  account: { email: string; username: string } | undefined
  minLength: number
  problem?: FormProblem | undefined
}

/**
 * Two forms: one asks for the password of the account, the other sets a new password. The link alone is not enough:
 * somebody else may have made the account, and would still know its password.
 */
export function verifyView(visit: Visit, { account, minLength, problem }: VerifyShown): View {
  const texts = textsFor(visit).verify
  if (!account) return deadView(texts.dead)
  const isNew = 'new_password' in visit.input
  const error = passwordError(visit, minLength, problem)
  const isAtField = error !== undefined || problem?.code === 'username_taken'
  const form = { action: visit.link('/verify'), hidden: { token: visit.input.token ?? '' } }
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={isAtField ? undefined : problem?.notice} />
        <Account text={texts.account} email={account.email} />
        <p>{texts.why}</p>
        <Form {...form} button={texts.button}>
          <Username account={account} visit={visit} problem={problem} id="username" />
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
            <Username account={account} visit={visit} problem={problem} id="new-username" />
            <NewPassword visit={visit} name="new_password" minLength={minLength} problem={problem} />
          </Form>
        </details>
      </>
    ),
  }
}

/** The error of the field for the password of the account. */
function passwordError(visit: Visit, minLength: number, problem: FormProblem | undefined): string | undefined {
  const { verify } = textsFor(visit)
  const { newPassword } = visit.texts
  if (problem?.code === 'invalid_password') return verify.wrongPassword
  const error = problem?.errors.find(({ field }) => field === 'password')
  // A registered password can become too weak with a new `username`: it must not be the username.
  return error && (newPassword.errors[error.reason as WeaknessReason]?.(minLength) ?? verify.missingPassword)
}

interface UsernameProps {
  account: { username: string }
  visit: Visit
  problem: FormProblem | undefined
  id: string
}

/** The hidden username for password managers; a visible field when a pending registration needs another username. */
function Username({ account, visit, problem, id }: UsernameProps) {
  const { username, usernameTaken, invalidUsername } = textsFor(visit).verify
  const isTaken = problem?.code === 'username_taken'
  if (!isTaken && visit.input.username === undefined) return <HiddenUsername username={account.username} />
  const isRefused = problem?.errors.some(({ field }) => field === 'username')
  const error = isTaken ? usernameTaken : isRefused ? invalidUsername : undefined
  // One field of the page can have the focus: that of the form that was sent.
  const isOwnForm = (id === 'new-username') === 'new_password' in visit.input
  const focus = isOwnForm && error !== undefined
  const value = visit.input.username ?? account.username
  return <Field {...{ id, name: 'username', label: username, value, error, focus, autocomplete: 'username' }} />
}

export const verifyDone = (visit: Visit): View => doneView(visit, textsFor(visit).verify.done)
