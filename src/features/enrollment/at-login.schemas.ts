import { type Static, t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { TokenAnswer, toTokenAnswer } from '../accounts/schemas.ts'
import type { LoginGrant } from '../sessions/sessions.ts'
import type { AddedAtLogin, EnrollmentStep } from './enrollment.ts'
import { AddedFactor, FactorView, NewTotpBody, toFactorView } from './schemas.ts'

const token = t.String({ description: 'From the `403` of the login' })
const exampleToken = 'kwf_8wTz3kBzVb5YyC6a1V3Zk0Q7dL4nR2sXf9uJ6mPqHtE'

export const EnrollBody = t.Object(
  { mfa_token: token },
  { title: 'EnrollmentBegin', examples: [{ mfa_token: exampleToken }] },
)

export const EnrollStep = t.Object(
  {
    challenge_id: t.Union([t.String(), t.Null()], {
      description: 'Send it with the code of the mail; `null` when no code is needed',
    }),
    expires_in: t.Integer({ description: 'How many seconds the `mfa_token` works' }),
  },
  { title: 'EnrollmentStep', examples: [{ challenge_id: 'AZrT3cXvQ0mB1nY8kL2pWg', expires_in: 1200 }] },
)

export const toEnrollStep = ({ challengeId, expiresIn }: EnrollmentStep): Static<typeof EnrollStep> => ({
  challenge_id: challengeId ?? null,
  expires_in: expiresIn,
})

export const EnrollTotpBody = t.Object(
  {
    mfa_token: token,
    challenge_id: optionalText('From `POST /token/enroll`, if a mail was sent'),
    code: optionalText('The six digits of the mail'),
    name: NewTotpBody.properties.name,
  },
  {
    title: 'EnrollmentTotp',
    examples: [{ mfa_token: exampleToken, challenge_id: 'AZrT3cXvQ0mB1nY8kL2pWg', code: '492039' }],
  },
)

export const EnrollConfirmBody = t.Object(
  {
    mfa_token: token,
    id: t.String({ description: 'From `POST /token/enroll/totp`' }),
    otp: t.String({ description: 'The six digits that the app shows' }),
  },
  { title: 'EnrollmentConfirmation', examples: [{ mfa_token: exampleToken, id: 't1', otp: '492039' }] },
)

export const AddedAtLoginView = t.Object(
  {
    factor: FactorView,
    recovery_codes: AddedFactor.properties.recovery_codes,
    ...TokenAnswer.properties,
  },
  {
    title: 'AddedAtLogin',
    examples: [{ ...(AddedFactor.examples as object[])[0], ...(TokenAnswer.examples as object[])[0] }],
  },
)

export const toAddedAtLogin = ({
  factor,
  recoveryCodes,
  grant,
}: Omit<AddedAtLogin, 'begun'> & { grant: LoginGrant }): Static<typeof AddedAtLoginView> => ({
  factor: toFactorView(factor),
  ...(recoveryCodes && { recovery_codes: recoveryCodes }),
  ...toTokenAnswer(grant),
})
