import { type Static, t } from 'elysia'
import { optionalText, refusedWith } from '../../http/schemas.ts'
import { rfc3339, SECOND } from '../../lib/clock.ts'
import { PasswordProof } from '../accounts/schemas.ts'
import { type Factor, PENDING_TOTP, type PendingTotp, qrSvg } from '../factors/factors.ts'
import { TokenPair, toTokenPair } from '../sessions/schemas.ts'
import { grantOf } from '../sessions/sessions.ts'
import type { Added, OwnFactors } from './enrollment.ts'

/** The refusals of a route that begins or ends the adding of a factor. */
export const addCodes = ['mfa_enrollment_required', 'too_many_factors'] as const

/** For the description of such a route. */
export const overdueText =
  'When a rule of this service withholds rights from you until you have a second factor, the password is not enough to add the first one: unless the session began with a login by mail, the answer is `403` with the code `mfa_enrollment_required` and an `mfa_token` for `POST /token/enroll`. Without mail it is enough.'

const time = t.String({ description: 'RFC 3339, UTC' })
const exampleTime = '2026-01-01T00:00:00.000Z'
const exampleCodes = ['8yq4-vv1c-0mxe-t5kd', 'h2nw-6r9a-j3zp-s7bg']

const exampleFactor = {
  id: 't1',
  type: 'totp' as const,
  name: 'Phone',
  created_at: exampleTime,
  last_used_at: exampleTime,
  usable: true,
}

export const FactorView = t.Object(
  {
    id: t.String({ description: 'For the routes of this factor' }),
    type: t.Union([t.Literal('totp'), t.Literal('passkey'), t.Literal('security_key')], {
      description:
        '`totp`: an authenticator app. `passkey`: both factors at once. `security_key`: a second factor after the password',
    }),
    name: t.String(),
    created_at: time,
    last_used_at: t.Union([time, t.Null()], { description: 'The last login or check with it' }),
    usable: t.Boolean({ description: 'False for a passkey or security key of a former address of this service' }),
    synced: t.Optional(
      t.Boolean({ description: 'Of a passkey or security key: whether other devices can have a copy of it' }),
    ),
  },
  { title: 'Factor', description: 'A second factor', examples: [exampleFactor] },
)

export const toFactorView = (factor: Factor): Static<typeof FactorView> => ({
  id: factor.id,
  type: factor.type,
  name: factor.name,
  created_at: rfc3339(factor.createdAt),
  last_used_at: factor.lastUsedAt === null ? null : rfc3339(factor.lastUsedAt),
  usable: factor.isUsable,
  ...(factor.isSynced !== undefined && { synced: factor.isSynced }),
})

export const FactorList = t.Object(
  {
    factors: t.Array(FactorView, { description: 'The oldest first' }),
    recovery_codes: t.Object({
      remaining: t.Integer({ minimum: 0, description: 'How many are unused' }),
      created_at: t.Union([time, t.Null()], { description: 'When they were made; `null` when none is left' }),
    }),
    required: t.Boolean({ description: 'Whether a rule of this service wants a second factor of you' }),
  },
  {
    title: 'Factors',
    examples: [
      { factors: [exampleFactor], recovery_codes: { remaining: 10, created_at: exampleTime }, required: false },
    ],
  },
)

export const toFactorList = ({ factors, recoveryCodes, isRequired }: OwnFactors): Static<typeof FactorList> => ({
  factors: factors.map(toFactorView),
  recovery_codes: {
    remaining: recoveryCodes.remaining,
    created_at: recoveryCodes.createdAt === null ? null : rfc3339(recoveryCodes.createdAt),
  },
  required: isRequired,
})

const nameText = 'What you call it: 1 to 100 characters, no control characters'

export const NewTotpBody = t.Object(
  { ...PasswordProof.properties, name: optionalText(`${nameText}; without it, \`Authenticator app\``) },
  { title: 'NewAuthenticatorApp', examples: [{ name: 'Phone' }] },
)

export const PendingTotpView = t.Object(
  {
    id: t.String({ description: 'For the confirmation' }),
    secret: t.String({ description: 'In base32, to be typed; no answer shows it again' }),
    uri: t.String({ description: 'An `otpauth:` URI, which authenticator apps read' }),
    qr_svg: t.String({ description: 'The same as a QR code: an SVG image, black on white with a white border' }),
    expires_in: t.Integer({ description: 'Within how many seconds a code must confirm it' }),
  },
  {
    title: 'PendingAuthenticatorApp',
    examples: [
      {
        id: 't1',
        secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
        uri: 'otpauth://totp/Keyward:user%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Keyward&algorithm=SHA1&digits=6&period=30',
        qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 49 49">…</svg>',
        expires_in: PENDING_TOTP / SECOND,
      },
    ],
  },
)

export const toPendingTotpView = ({ id, secret, uri }: PendingTotp): Static<typeof PendingTotpView> => ({
  id,
  secret,
  uri,
  qr_svg: qrSvg(uri),
  expires_in: PENDING_TOTP / SECOND,
})

export const ConfirmTotpBody = t.Object(
  {
    ...PasswordProof.properties,
    code: t.String({
      pattern: '^[0-9]{6}$',
      description: 'The six digits that the app shows',
      ...refusedWith('The code must have six digits'),
    }),
  },
  { title: 'AuthenticatorAppConfirmation', examples: [{ code: '492039' }] },
)

const codesText = 'Ten codes, each for one use in place of the factor; no answer shows them again'

export const AddedFactor = t.Object(
  {
    factor: FactorView,
    recovery_codes: t.Optional(t.Array(t.String(), { description: `With your first factor: ${codesText}` })),
    ...TokenPair.properties,
  },
  {
    title: 'AddedFactor',
    examples: [{ factor: exampleFactor, recovery_codes: exampleCodes, ...(TokenPair.examples as object[])[0] }],
  },
)

export const toAddedFactor = ({ factor, recoveryCodes, raised }: Added): Static<typeof AddedFactor> => ({
  factor: toFactorView(factor),
  ...(recoveryCodes && { recovery_codes: recoveryCodes }),
  ...toTokenPair(grantOf(raised)),
})

export const FactorNameBody = t.Object(
  { name: t.String({ description: nameText }) },
  { title: 'FactorName', examples: [{ name: 'Old phone' }] },
)

export const RemovalProof = t.Object(
  { password: optionalText('Your password; an account without one leaves it out') },
  { title: 'FactorRemoval', examples: [{ password: 'secure_password' }] },
)

export const RecoveryCodes = t.Object(
  { codes: t.Array(t.String(), { description: codesText }) },
  { title: 'RecoveryCodes', examples: [{ codes: exampleCodes }] },
)

export const FactorPath = t.Object({
  id: t.String({ description: 'The `id` in the list of your factors', examples: ['t1'] }),
})
