import { t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { scopeText } from '../sessions/schemas.ts'

export const ForgotPasswordBody = t.Object(
  { email: t.String({ description: 'The address of your account' }) },
  { title: 'ForgotPassword', examples: [{ email: 'user@example.com' }] },
)

/** The answer to a request for a mail. It is the same whether an account has the address or not. */
export const MailAsked = t.Object(
  { message: t.String({ description: 'A sentence for a person' }) },
  { title: 'MailAsked', examples: [{ message: 'If an account has this address, a mail is on its way' }] },
)

export const mailAsked = { message: 'If an account has this address, a mail is on its way' }

export const ResetPasswordBody = t.Object(
  {
    token: t.String({ description: 'The `token` of the link in the mail' }),
    password: t.String({ description: 'The new password; the rules are those of `POST /register`' }),
  },
  {
    title: 'ResetPassword',
    examples: [{ token: 'kwm_Yo9sMhvJDsZ4eKdAGx2sPqZ0nJ1uWfTqgCkq0hX3rLs', password: 'a longer and better one' }],
  },
)

/** The answer to a request for a mail with a code. It is the same whether an account has the address or not. */
export const Challenge = t.Object(
  {
    challenge_id: t.String({ description: 'Send it with the code of the mail' }),
    expires_in: t.Integer({
      description:
        'How many seconds the link works, from when the mail is sent; those of the code where the mail has no link',
    }),
  },
  { title: 'Challenge', examples: [{ challenge_id: 'Yo9sMhvJDsZ4eKdAGx2sPg', expires_in: 86_400 }] },
)

export const AskToVerifyBody = t.Object(
  { email: optionalText('The address of your account; not needed with an access token') },
  { title: 'AskToVerify', examples: [{ email: 'user@example.com' }] },
)

export const AskToLogInBody = t.Object(
  { email: t.String({ description: 'The address of your account' }) },
  { title: 'AskToLogIn', examples: [{ email: 'user@example.com' }] },
)

const shown = {
  token: optionalText('The `token` of the link in the mail'),
  challenge_id: optionalText('With `code`: the `challenge_id` of the request for the mail'),
  code: optionalText('With `challenge_id`: the six digits in the mail'),
}

export const VerifyEmailBody = t.Object(
  {
    ...shown,
    password: optionalText('The password of your account'),
    new_password: optionalText('A new password; everything that was set before is dropped'),
    username: optionalText('To end a registration whose username was taken meanwhile: another one'),
  },
  {
    title: 'VerifyEmail',
    examples: [{ token: 'kwm_Yo9sMhvJDsZ4eKdAGx2sPqZ0nJ1uWfTqgCkq0hX3rLs', password: 'secure_password' }],
  },
)

const tokenOnly = (title: string) =>
  t.Object(
    { token: t.String({ description: 'The `token` of the link in the mail' }) },
    { title, examples: [{ token: 'kwm_Yo9sMhvJDsZ4eKdAGx2sPqZ0nJ1uWfTqgCkq0hX3rLs' }] },
  )

export const ConfirmEmailBody = tokenOnly('ConfirmEmail')

export const UndoEmailBody = tokenOnly('UndoEmail')

export const FactorRecoveryBody = t.Object(
  {
    token: t.String({ description: 'The `token` of the link in the mail' }),
    password: t.String({ description: 'The password of your account' }),
  },
  {
    title: 'FactorRecovery',
    examples: [{ token: 'kwm_Yo9sMhvJDsZ4eKdAGx2sPqZ0nJ1uWfTqgCkq0hX3rLs', password: 'secure_password' }],
  },
)

export const MailLoginBody = t.Object(
  {
    ...shown,
    scope: scopeText,
    device_token: optionalText('The device token of an earlier login from this device'),
  },
  { title: 'MailLogin', examples: [{ challenge_id: 'Yo9sMhvJDsZ4eKdAGx2sPg', code: '493170' }] },
)
