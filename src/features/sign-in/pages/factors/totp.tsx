import { Field } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import { ProblemNotice } from '../../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../../pages/pages.tsx'
import { qrSvg } from '../../../factors/factors.ts'
import { textsOf } from './parts.tsx'

/** The data that the page shows besides its texts. */
export interface TotpShown {
  /** The page that takes the code. */
  action: string
  /** The hidden fields of the form. */
  hidden: Record<string, string>
  /** What the QR code contains (`otpauth:`). */
  uri: string
  /** The page that is left without adding the app. */
  back: { href: string; label: string }
  formAction?: string | undefined
  problem?: FormProblem | undefined
}

/**
 * The page with the secret of an authenticator app, and the field for its first code. After a wrong code the secret comes
 * from the form itself, because the service shows a secret only once.
 */
export function totpView(visit: Visit, { action, hidden, uri, back, formAction, problem }: TotpShown): View {
  const texts = textsOf(visit).totp
  const error = problem && codeError(visit, problem)
  return {
    title: texts.title,
    formAction,
    content: (
      <>
        <ProblemNotice says={error === undefined ? problem?.notice : undefined} />
        <p>{texts.scan}</p>
        <img class="qr" alt={texts.qr} src={`data:image/svg+xml,${encodeURIComponent(qrSvg(uri))}`} />
        <p>{texts.key}</p>
        <p>
          <code class="secret">{groupsOf(secretOf(uri))}</code>
        </p>
        <p>
          <a href={uri}>{texts.open}</a>
        </p>
        <Form action={visit.link(action)} hidden={{ ...hidden, uri }} button={texts.button}>
          <Field
            name="code"
            label={texts.code}
            hint={texts.codeHint}
            autocomplete="one-time-code"
            error={error}
            focus={error !== undefined}
          />
        </Form>
        <p class="back">
          <a href={visit.link(back.href)}>← {back.label}</a>
        </p>
      </>
    ),
  }
}

function codeError(visit: Visit, { code, errors }: FormProblem): string | undefined {
  const { ways, totp } = textsOf(visit)
  return code === 'invalid_code' ? totp.wrong : errors.length > 0 ? ways.missing : undefined
}

/** Returns true for a text that `totpView` can show: a URI of an authenticator app with its secret. */
export const isTotpUri = (text: string): boolean =>
  text.length <= 400 && text.startsWith('otpauth://totp/') && secretOf(text) !== ''

const secretOf = (uri: string): string => /[?&]secret=([A-Z2-7]{16,64})(?:&|$)/.exec(uri)?.[1] ?? ''

/** Groups of four letters, which are easier to type and to read out. */
const groupsOf = (secret: string): string => secret.replace(/.{4}(?=.)/g, '$& ')
