import { type Static, t } from 'elysia'
import { invalidField } from '../../errors.ts'
import { optionalText, refusedWith } from '../../http/schemas.ts'
import { parseStrictJson } from '../../lib/json.ts'
import type { FactorAnswer, FactorMethod } from '../factors/factors.ts'
import { trustDevice } from './schemas.ts'
import type { StepUpWays } from './step-up.ts'

const base64Url = (description: string) => t.String({ description: `${description}, in base64url` })

/** The members of an AuthenticationResponseJSON of WebAuthn that the feature `factors` reads. Others are ignored. */
export const WebauthnAnswer = t.Object(
  {
    id: base64Url('The credential id'),
    rawId: base64Url('The same'),
    type: t.String({ description: '`public-key`' }),
    response: t.Object({
      clientDataJSON: base64Url('What the browser saw'),
      authenticatorData: base64Url('What the authenticator says'),
      signature: base64Url('Its signature'),
      userHandle: optionalText('The user handle of the passkey, in base64url'),
    }),
  },
  {
    title: 'WebauthnAnswer',
    description: 'The answer of the browser to the options: `credential.toJSON()`',
    examples: [
      {
        id: 'kO1bV0n0mTz7q3cF9hJ2sA',
        rawId: 'kO1bV0n0mTz7q3cF9hJ2sA',
        type: 'public-key',
        response: { clientDataJSON: 'eyJ0eXBlIjoi…', authenticatorData: 'SZYN5YgOjGh0…', signature: 'MEUCIQ…' },
      },
    ],
  },
)

const webauthn = t.Optional(t.Union([WebauthnAnswer, t.Null()], refusedWith('Expected credential.toJSON()')))

/** The second factor of a login. Exactly one of `otp`, `recovery_code` and `webauthn`, or none to ask for the methods. */
export const SecondFactorBody = t.Object(
  {
    mfa_token: t.String({ description: 'From the `403` of the login' }),
    otp: optionalText('The six digits of an authenticator app'),
    recovery_code: optionalText('A recovery code, with or without hyphens, in any case'),
    webauthn,
    trust_device: trustDevice,
  },
  {
    title: 'SecondFactor',
    examples: [{ mfa_token: 'kwf_8wTz3kBzVb5YyC6a1V3Zk0Q7dL4nR2sXf9uJ6mPqHtE', otp: '492039' }],
  },
)

/** What is shown again in a session. Exactly one of the members, or none to ask for the methods. */
export const StepUpBody = t.Object(
  {
    password: optionalText('Your password: enough for an account without a second factor'),
    otp: optionalText('The six digits of an authenticator app'),
    recovery_code: optionalText('A recovery code, with or without hyphens, in any case'),
    webauthn: SecondFactorBody.properties.webauthn,
  },
  { title: 'StepUp', examples: [{ otp: '492039' }] },
)

/** The ways to go on, when no answer was sent. */
export const FactorMethods = t.Object(
  {
    methods: t.Array(t.Union([t.Literal('webauthn'), t.Literal('totp'), t.Literal('recovery_code')])),
    expires_in: t.Optional(t.Integer({ description: 'Seconds' })),
    webauthn: t.Optional(
      t.Object({}, { additionalProperties: true, description: 'New request options for `navigator.credentials.get`' }),
    ),
  },
  { title: 'FactorMethods', examples: [{ methods: ['totp', 'recovery_code'], expires_in: 271 }] },
)

export const toFactorMethods = (of: {
  methods: readonly FactorMethod[]
  expiresIn?: number
  webauthn?: object | undefined
}): Static<typeof FactorMethods> => ({
  methods: [...of.methods],
  ...(of.expiresIn !== undefined && { expires_in: of.expiresIn }),
  ...(of.webauthn && { webauthn: of.webauthn }),
})

/** What makes a session fresh, when nothing was sent. */
export const StepUpMethods = t.Object(
  {
    methods: t.Array(
      t.Union([t.Literal('webauthn'), t.Literal('totp'), t.Literal('recovery_code'), t.Literal('password')]),
      { description: 'Your second factors that work now; without a second factor `password`, if you have one' },
    ),
    expires_in: t.Optional(t.Integer({ description: 'How many seconds `webauthn` works' })),
    webauthn: FactorMethods.properties.webauthn,
  },
  { title: 'StepUpMethods', examples: [{ methods: ['totp', 'recovery_code'] }] },
)

export const toStepUpMethods = ({ methods, expiresIn, webauthn }: StepUpWays): Static<typeof StepUpMethods> => ({
  methods: [...methods],
  ...(webauthn && { expires_in: expiresIn, webauthn }),
})

/** The members of a body that can show a second factor. A form has `webauthn` as JSON text. */
export interface SentAnswer {
  otp?: string | null | undefined
  recovery_code?: string | null | undefined
  webauthn?: unknown
}

/** True when a client wants to trust the device. */
export const readTrust = (sent: boolean | string | null | undefined): boolean => sent === true || sent === 'true'

/**
 * Reads the second factor that a client sent. An empty text counts as omitted.
 * @returns undefined when there is none
 * @throws KeywardError `validation_failed` for two, and for `webauthn` that is no JSON
 */
export function readFactorAnswer(sent: SentAnswer): FactorAnswer | undefined {
  const answers = answersIn(sent)
  if (answers.length > 1) throw invalidField('otp', 'Send one of otp, recovery_code and webauthn')
  return answers[0]
}

/**
 * Reads what a client shows again in a session; as `readFactorAnswer`, with the password as one more way.
 * @throws KeywardError `validation_failed`
 */
export function readStepUp({ password, ...sent }: SentAnswer & { password?: string | null | undefined }) {
  const answers = [...answersIn(sent), ...(password ? [{ password }] : [])]
  if (answers.length > 1) throw invalidField('otp', 'Send one of password, otp, recovery_code and webauthn')
  return answers[0]
}

function answersIn({ otp, recovery_code: recoveryCode, webauthn }: SentAnswer): FactorAnswer[] {
  const answers: FactorAnswer[] = []
  if (otp) answers.push({ otp })
  if (recoveryCode) answers.push({ recoveryCode })
  if (webauthn) answers.push({ webauthn: typeof webauthn === 'string' ? readWebauthn('webauthn', webauthn) : webauthn })
  return answers
}

/** Reads the answer of a browser in a form. @throws KeywardError `validation_failed` */
export function readWebauthn(field: string, text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch {
    throw invalidField(field, 'This is not JSON')
  }
}
