import { t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { WebauthnAnswer } from './second-factor.schemas.ts'

export const PasskeyOptions = t.Object(
  {
    options: t.Object(
      {},
      {
        additionalProperties: true,
        description: 'For `navigator.credentials.get`: `PublicKeyCredential.parseRequestOptionsFromJSON` reads them',
      },
    ),
    expires_in: t.Integer({ description: 'Seconds' }),
  },
  {
    title: 'PasskeyOptions',
    examples: [
      {
        options: {
          challenge: 'AQEAAAGbd8j3gHcV2m0q6R1sYbXzS0tJm5cBf1mNxQf2dE8k3y7u6Lr4pZ0hVw9gTaKiUoCsDnE',
          timeout: 300_000,
          rpId: 'auth.example.com',
          allowCredentials: [],
          userVerification: 'required',
        },
        expires_in: 300,
      },
    ],
  },
)

export const PasskeyBody = t.Object(
  {
    credential: WebauthnAnswer,
    device_token: optionalText('The device token of an earlier login on this device'),
    scope: optionalText('Any value, which is answered by `account`: the program acts as the user'),
  },
  {
    title: 'PasskeyLogin',
    // Elysia removes unknown members, but not from a body that lacks an object, and would then refuse them.
    additionalProperties: true,
    examples: [{ credential: (WebauthnAnswer.examples as object[])[0] }],
  },
)
