import { Checkbox, Field } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { deadView } from '../../../pages/parts.tsx'
import type { SignInRequest } from '../sign-in.ts'
import { SignalsFor, textsOf, WebauthnForm, webauthnNotice } from './factors/parts.tsx'
import { ProviderButtons, type SocialProvider } from './providers.tsx'
import { signInTexts } from './texts/texts.ts'

/** The data that the page shows besides its texts. */
export interface SignInShown {
  request: SignInRequest
  /** The sealed request. */
  sealed: string
  /** The username of the person who is logged in in this browser. */
  username: string | undefined
  /** False hides the box "keep me logged in". */
  mayRemember: boolean
  /** False hides the link to register. */
  mayRegister: boolean
  /** The RP ID of passkeys; undefined with `PASSKEYS=off`. */
  rpId: string | undefined
  /** Other services with which people can log in. */
  providers: readonly SocialProvider[]
  problem?: FormProblem | undefined
}

/** The form to log in. After a refusal it keeps the name, and never the password. */
export function signInView(visit: Visit, shown: SignInShown): View {
  const texts = signInTexts[visit.locale].logIn
  const { request, sealed, username, mayRemember, mayRegister, rpId, providers, problem } = shown
  const { identifier, password } = fieldErrors(visit, problem)
  const isWrong = problem?.code === 'invalid_credentials'
  return {
    title: texts.title,
    formAction: request.formAction,
    ...(rpId !== undefined && { script: 'passkey' }),
    content: (
      <>
        <ProblemNotice says={isWrong ? texts.wrong : (webauthnNotice(visit, problem) ?? problem?.notice)} />
        {request.clientName !== undefined && <p>{texts.toClient(request.clientName)}</p>}
        {username !== undefined && <p>{texts.again}</p>}
        <Form action={visit.link('/sign-in')} hidden={{ request: sealed }} button={texts.button}>
          <Field
            name="username"
            label={texts.identifier}
            autocomplete="username webauthn"
            value={visit.input.username ?? username ?? request.hint}
            error={identifier}
            focus={identifier !== undefined}
          />
          <Field
            name="password"
            label={texts.password}
            autocomplete="current-password"
            error={password}
            focus={identifier === undefined && password !== undefined}
          />
          {mayRemember && <Checkbox name="remember" label={texts.remember} checked={visit.input.remember === 'on'} />}
        </Form>
        {rpId !== undefined && (
          <WebauthnForm
            visit={visit}
            action="/sign-in/passkey"
            options="/passkeys/options"
            use="get"
            hidden={{ request: sealed, ...(mayRemember && { remember: '' }) }}
            button={textsOf(visit).webauthn.signIn}
            look="plain"
            isOffered
          />
        )}
        <ProviderButtons visit={visit} providers={providers} sealed={sealed} />
        <ul class="links">
          <li>
            <a href={visit.link('/forgot')}>{texts.forgot}</a>
          </li>
          {mayRegister && (
            <li>
              <a href={visit.link(`/sign-up?request=${sealed}`)}>{texts.register}</a>
            </li>
          )}
        </ul>
        {rpId !== undefined && problem?.code === 'unknown_passkey' && (
          <SignalsFor signals={[['signalUnknownCredential', { rpId, credentialId: credentialIdOf(visit) }]]} />
        )}
      </>
    ),
  }
}

/** The id of the credential that the form has sent. */
function credentialIdOf({ input: { credential = '' } }: Visit): string {
  const { id } = JSON.parse(credential) as { id: string }
  return id
}

function fieldErrors({ locale }: Visit, problem: FormProblem | undefined) {
  const texts = signInTexts[locale].logIn
  const isRefused = (name: string) => problem?.errors.some(({ field }) => field === name)
  return {
    identifier: isRefused('username') ? texts.missingIdentifier : undefined,
    password: isRefused('password') ? texts.missingPassword : undefined,
  }
}

/** The page of a sealed request that cannot be used. @param again the page that begins the request anew */
export function deadRequestView(visit: Visit, again: string): View {
  const { dead } = signInTexts[visit.locale].logIn
  return deadView(dead, { label: dead.button, href: visit.link(again) })
}
