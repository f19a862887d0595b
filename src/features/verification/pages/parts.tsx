import { Field } from '../../../pages/field.tsx'
import { masked } from '../../../pages/masked.ts'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import type { Saying } from '../../../pages/texts/text.ts'
import type { WeaknessReason } from '../../passwords/passwords.ts'
import { verificationTexts } from './texts/texts.ts'

/** The texts of the pages of this feature, in the language of the visit. */
export const textsFor = ({ locale }: Pick<Visit, 'locale'>) => verificationTexts[locale]

/** The sentence that names the account by its masked address. */
export const Account = ({ text, email }: { text: { before: string; after: string }; email: string }) => (
  <p>
    {text.before}
    <span class="account">{masked(email)}</span>
    {text.after}
  </p>
)

export interface NewPasswordProps {
  visit: Visit
  name: 'password' | 'new_password'
  minLength: number
  problem?: FormProblem | undefined
}

/** The field for a new password. Its error says in the language of the page what is wrong with the password. */
export function NewPassword({ visit, name, minLength, problem }: NewPasswordProps) {
  const { label, hint, errors, refused } = textsFor(visit).newPassword
  const error = problem?.errors.find(({ field }) => field === name)
  const sentence = error && (errors[error.reason as WeaknessReason]?.(minLength) ?? refused)
  return (
    <Field
      name={name}
      label={label}
      autocomplete="new-password"
      hint={hint(minLength)}
      error={sentence}
      focus={error !== undefined}
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
