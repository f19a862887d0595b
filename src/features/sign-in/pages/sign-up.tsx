import { Field } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { NewPassword } from '../../../pages/parts.tsx'
import type { SignInRequest } from '../sign-in.ts'
import { ProviderButtons, type SocialProvider } from './providers.tsx'
import { signInTexts } from './texts/texts.ts'

/** The addresses of the texts that people accept with an account; each is undefined when it is not set. */
export interface LegalLinks {
  /** TERMS_URL. */
  terms: string | undefined
  /** PRIVACY_URL. */
  privacy: string | undefined
}

/** The data that the page shows besides its texts. */
export interface SignUpShown {
  request: SignInRequest
  /** The sealed request. */
  sealed: string
  minLength: number
  legal: LegalLinks
  /** Other services with which people can log in. */
  providers: readonly SocialProvider[]
  problem?: FormProblem | undefined
}

/** The form to register. After a refusal it keeps what was typed, and never the password. */
export function signUpView(visit: Visit, { request, sealed, minLength, legal, providers, problem }: SignUpShown): View {
  const texts = signInTexts[visit.locale].register
  const { email, username } = fieldErrors(visit, problem)
  const isAtField = email !== undefined || username !== undefined
  return {
    title: texts.title,
    formAction: request.formAction,
    content: (
      <>
        <ProblemNotice says={isAtField ? undefined : problem?.notice} />
        {request.clientName !== undefined && <p>{signInTexts[visit.locale].logIn.toClient(request.clientName)}</p>}
        <Form
          action={visit.link('/sign-up')}
          hidden={{ request: sealed }}
          button={texts.button}
          below={<Consent visit={visit} legal={legal} />}
        >
          <Field
            name="email"
            label={texts.email}
            autocomplete="email"
            value={visit.input.email ?? emailHint(request)}
            error={email}
            focus={email !== undefined}
          />
          <Field
            name="username"
            label={texts.username}
            hint={username === undefined ? texts.usernameHint : undefined}
            autocomplete="username"
            value={visit.input.username}
            error={username}
            focus={email === undefined && username !== undefined}
          />
          <NewPassword
            visit={visit}
            name="password"
            label={texts.password}
            minLength={minLength}
            problem={problem}
            focus={!isAtField}
          />
        </Form>
        <ProviderButtons visit={visit} providers={providers} sealed={sealed} />
        <ul class="links">
          <li>
            <a href={visit.link(`/sign-in?request=${sealed}`)}>{texts.logIn}</a>
          </li>
        </ul>
      </>
    ),
  }
}

const emailHint = ({ hint }: SignInRequest) => (hint?.includes('@') ? hint : undefined)

function fieldErrors({ locale }: Visit, problem: FormProblem | undefined) {
  const texts = signInTexts[locale].register
  const refused = (name: string) => problem?.errors.find(({ field }) => field === name)
  const [email, username] = [refused('email'), refused('username')]
  return {
    email:
      problem?.code === 'email_taken'
        ? texts.emailTaken
        : email && (email.reason === 'domain' ? texts.refusedDomain : texts.invalidEmail),
    username:
      problem?.code === 'username_taken'
        ? texts.usernameTaken
        : username && (username.reason === 'reserved' ? texts.reservedUsername : texts.invalidUsername),
  }
}

/** The sentence with the links to the terms and the privacy policy. */
function Consent({ visit, legal: { terms, privacy } }: { visit: Visit; legal: LegalLinks }) {
  const texts = signInTexts[visit.locale].register
  if (terms === undefined && privacy === undefined) return null
  const { before, between, after } =
    texts.consent[terms === undefined ? 'privacy' : privacy === undefined ? 'terms' : 'both']
  return (
    <p class="legal">
      {before}
      {terms !== undefined && <a href={terms}>{texts.terms}</a>}
      {between}
      {privacy !== undefined && <a href={privacy}>{texts.privacy}</a>}
      {after}
    </p>
  )
}

/** The page after a registration whose address has to be proved first. */
export const signUpSent = (visit: Visit): View => sayingView(signInTexts[visit.locale].register.sent)

/** The page of a service where nobody may register. */
export const signUpClosed = (visit: Visit): View => ({
  ...sayingView(signInTexts[visit.locale].register.closed),
  status: 403,
})

const sayingView = ({ title, text }: { title: string; text: string }): View => ({ title, content: <p>{text}</p> })
