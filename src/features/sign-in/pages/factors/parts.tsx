import type { ComponentChildren } from 'preact'
import type { FormProblem, Visit } from '../../../../pages/pages.tsx'
import type { Saying } from '../../../../pages/texts/text.ts'
import { factorTexts } from './texts/texts.ts'

export const textsOf = ({ locale }: Pick<Visit, 'locale'>) => factorTexts[locale]

export interface WebauthnFormProps {
  visit: Visit
  /** The page that takes the form. */
  action: string
  /** The path that answers POST with the options. */
  options: string
  /** What the browser does: use a credential, or make one. */
  use: 'get' | 'create'
  hidden: Record<string, string>
  button: string
  look?: 'plain'
  /** True when the browser also offers passkeys in the field for the name. */
  isOffered?: boolean
  children?: ComponentChildren
}

/** A form that `passkey.js` shows, fills in and sends. Without the script it stays hidden. */
export function WebauthnForm(props: WebauthnFormProps) {
  const { visit, action, options, use, hidden, button, look, isOffered, children } = props
  const { cancelled, exists, failed } = textsOf(visit).webauthn
  return (
    <form
      method="post"
      action={visit.link(action)}
      hidden
      data-webauthn={use}
      data-options={visit.link(options)}
      data-offer={isOffered ? '' : undefined}
      data-cancelled={cancelled}
      data-exists={exists}
      data-failed={failed}
    >
      {Object.entries({ ...hidden, credential: '' }).map(([name, value]) => (
        <input key={name} type="hidden" name={name} value={value} />
      ))}
      {children}
      <p class="error" role="alert" hidden />
      <button type="submit" class={look}>
        {button}
      </button>
    </form>
  )
}

/** Says why there is no button for passkeys, in a browser without scripts or without WebAuthn. */
export function WithoutPasskeys({ visit }: { visit: Visit }) {
  const { unsupported, noScript } = textsOf(visit).webauthn
  return (
    <>
      <noscript>
        <p class="hint">{noScript}</p>
      </noscript>
      <p class="hint" hidden data-unsupported>
        {unsupported}
      </p>
    </>
  )
}

/** Messages for the passkey provider of the browser: the names and the details of functions of `PublicKeyCredential`. */
export type Signals = readonly (readonly [name: `signal${string}`, details: object])[]

export const SignalsFor = ({ signals }: { signals: Signals }) =>
  signals.length > 0 ? <div hidden data-signals={JSON.stringify(signals)} /> : null

/** The notice of a refusal of WebAuthn; undefined for another code. */
export function webauthnNotice(visit: Visit, problem: FormProblem | undefined): Saying | undefined {
  const { refused, unknown } = textsOf(visit).webauthn
  if (problem?.code === 'unknown_passkey') return unknown
  return problem?.code === 'webauthn_failed' || problem?.code === 'invalid_passkey' ? refused : undefined
}
