import { t } from 'elysia'

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
