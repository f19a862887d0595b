import type { WeaknessReason } from '../features/passwords/passwords.ts'
import { Field } from './field.tsx'
import { masked } from './masked.ts'
import type { FormProblem, View, Visit } from './pages.tsx'
import type { Around, Saying } from './texts/text.ts'

/** The sentence that names the account by its masked address. `beside` is another address of the page, if it has one. */
export const Account = ({ text, email, beside }: { text: Around; email: string; beside?: string }) => (
  <p>
    {text.before}
    <span class="account">{masked(email, beside)}</span>
    {text.after}
  </p>
)

export interface NewPasswordProps {
  visit: Visit
  name: 'password' | 'new_password'
  minLength: number
  /** By default "New password". */
  label?: string
  problem?: FormProblem | undefined
  /** False when another field of the page has the focus. */
  focus?: boolean
}

/** The field for a new password. Its error says in the language of the page what is wrong with the password. */
export function NewPassword({ visit, name, minLength, label, problem, focus = true }: NewPasswordProps) {
  const { label: usual, hint, errors, refused } = visit.texts.newPassword
  const error = problem?.errors.find(({ field }) => field === name)
  const sentence = error && (errors[error.reason as WeaknessReason]?.(minLength) ?? refused)
  return (
    <Field
      name={name}
      label={label ?? usual}
      autocomplete="new-password"
      hint={hint(minLength)}
      error={sentence}
      focus={focus && error !== undefined}
    />
  )
}

/** The page after a successful form, with a link to the application if APP_URL is set. */
export const doneView = ({ appUrl, app, texts }: Visit, { title, text }: Saying): View => ({
  title,
  content: (
    <>
      <p>{text}</p>
      {appUrl && (
        <a class="button" href={appUrl}>
          {texts.toApp(app)}
        </a>
      )}
    </>
  ),
})

/** The page of a link that does not work. `next` is a button, for example to ask for another link. */
export const deadView = ({ title, text }: Saying, next?: { label: string; href: string }): View => ({
  title,
  status: 400,
  content: (
    <>
      <p>{text}</p>
      {next && (
        <a class="button" href={next.href}>
          {next.label}
        </a>
      )}
    </>
  ),
})
