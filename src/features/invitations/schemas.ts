import { t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'

export const AcceptInvitationBody = t.Object(
  {
    token: t.String({ description: 'The `token` of the link in the mail' }),
    username: optionalText('Another username than the one in the mail; the rules are those of `POST /register`'),
    password: t.String({ description: 'Your password; the rules are those of `POST /register`' }),
  },
  {
    title: 'AcceptInvitation',
    examples: [{ token: 'kwm_Yo9sMhvJDsZ4eKdAGx2sPqZ0nJ1uWfTqgCkq0hX3rLs', password: 'secure_password' }],
  },
)
