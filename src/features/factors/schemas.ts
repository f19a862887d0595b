import { t } from 'elysia'

export const RelatedOrigins = t.Object(
  { origins: t.Array(t.String()) },
  { title: 'RelatedOrigins', examples: [{ origins: ['https://auth.example.com', 'https://app.example.com'] }] },
)

const page = t.Optional(t.String({ description: 'The page `/account/security`' }))

export const PasskeyEndpoints = t.Object(
  { enroll: page, manage: page },
  {
    title: 'PasskeyEndpoints',
    examples: [
      {
        enroll: 'https://auth.example.com/account/security',
        manage: 'https://auth.example.com/account/security',
      },
    ],
  },
)
