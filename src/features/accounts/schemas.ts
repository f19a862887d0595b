import { type Static, t } from 'elysia'
import type { Grant } from '../sessions/grant.ts'
import type { User } from '../users/user.ts'

export const RegisterBody = t.Object(
  {
    email: t.String({ description: 'Where the account is reached; compared without regard to case' }),
    username: t.String({
      description: '3 to 32 ASCII letters, digits, `_`, `.` or `-`; unique without regard to case',
    }),
    password: t.String({ description: '8 to 256 characters of any kind, not a common password' }),
  },
  {
    title: 'Registration',
    examples: [{ email: 'user@example.com', username: 'user123', password: 'secure_password' }],
  },
)

export const TokenBody = t.Object(
  {
    grant_type: t.Optional(t.String({ description: '`password`, or absent' })),
    username: t.Optional(t.String({ description: 'Username or email address' })),
    password: t.Optional(t.String()),
  },
  { title: 'TokenRequest', examples: [{ grant_type: 'password', username: 'user123', password: 'secure_password' }] },
)

/** RFC 6749 section 5.1. */
export const TokenAnswer = t.Object(
  {
    access_token: t.String(),
    token_type: t.Literal('bearer'),
    expires_in: t.Integer({ description: 'Seconds' }),
  },
  { title: 'Tokens', examples: [{ access_token: 'eyJhbGciOiJFUzI1NiIs…', token_type: 'bearer', expires_in: 1800 }] },
)

export const toTokenAnswer = (grant: Grant): Static<typeof TokenAnswer> => ({
  access_token: grant.accessToken,
  token_type: 'bearer',
  expires_in: grant.expiresIn,
})

/** What `GET /user/user` of the second FastAPI service answers. */
export const BriefUserView = t.Object(
  { username: t.String(), email: t.String(), id: t.Integer({ minimum: 1 }) },
  { title: 'BriefUser', examples: [{ username: 'testuser', email: 'test@example.com', id: 1 }] },
)

export const toBriefUserView = ({ username, email, id }: User): Static<typeof BriefUserView> => ({
  username,
  email,
  id,
})
