import { type Static, t } from 'elysia'
import { optionalText } from '../../http/schemas.ts'
import { PasswordProof } from '../accounts/schemas.ts'
import type { PendingPasskey } from '../factors/factors.ts'

export const PasskeyKindBody = t.Object(
  {
    ...PasswordProof.properties,
    kind: t.Union([t.Literal('passkey'), t.Literal('security_key')], {
      description:
        '`passkey`: logs in alone, so the device asks for a PIN, a finger or a face. `security_key`: a second factor after the password',
    }),
  },
  { title: 'NewPasskey', examples: [{ kind: 'passkey' }] },
)

export const PendingPasskeyView = t.Object(
  {
    challenge_id: t.String({ description: 'For `POST /users/me/factors/webauthn`' }),
    expires_in: t.Integer({ description: 'Seconds' }),
    options: t.Object(
      {},
      {
        additionalProperties: true,
        description:
          'For `navigator.credentials.create`: `PublicKeyCredential.parseCreationOptionsFromJSON` reads them',
      },
    ),
  },
  {
    title: 'PendingPasskey',
    examples: [
      {
        challenge_id: '6tZl0Xq1Y8m2Vb7dRfKc3A',
        expires_in: 300,
        options: {
          rp: { id: 'auth.example.com', name: 'Keyward' },
          user: { id: 'kP3v…', name: 'user@example.com', displayName: 'user' },
          challenge: 'Qm5hR2xvYmFsQ2hhbGxlbmdlVGhhdElzMzJCeXRlcw',
          pubKeyCredParams: [
            { type: 'public-key', alg: -8 },
            { type: 'public-key', alg: -7 },
            { type: 'public-key', alg: -257 },
          ],
        },
      },
    ],
  },
)

export const toPendingPasskeyView = ({
  challengeId,
  expiresIn,
  options,
}: PendingPasskey): Static<typeof PendingPasskeyView> => ({
  challenge_id: challengeId,
  expires_in: expiresIn,
  options: { ...options },
})

const base64Url = (description: string) => t.String({ description: `${description}, in base64url` })

/** The members of a RegistrationResponseJSON of WebAuthn that the feature `factors` reads. Others are ignored. */
const RegistrationAnswer = t.Object(
  {
    id: base64Url('The credential id'),
    rawId: base64Url('The same'),
    type: t.String({ description: '`public-key`' }),
    response: t.Object({
      clientDataJSON: base64Url('What the browser saw'),
      attestationObject: base64Url('The public key, and more of the authenticator'),
      transports: t.Optional(t.Array(t.String(), { description: 'How browsers reach the authenticator' })),
    }),
  },
  { title: 'RegistrationAnswer', description: 'The answer of the browser to the options: `credential.toJSON()`' },
)

export const AddPasskeyBody = t.Object(
  {
    ...PasswordProof.properties,
    challenge_id: t.String({ description: 'From the options' }),
    name: optionalText('What you call it; without it, the name of the program or device that made it'),
    credential: RegistrationAnswer,
  },
  {
    title: 'PasskeyRegistration',
    // Elysia removes unknown members, but not from a body that lacks an object, and would then refuse them.
    additionalProperties: true,
    examples: [
      {
        challenge_id: '6tZl0Xq1Y8m2Vb7dRfKc3A',
        name: 'Laptop',
        credential: {
          id: 'kO1bV0n0mTz7q3cF9hJ2sA',
          rawId: 'kO1bV0n0mTz7q3cF9hJ2sA',
          type: 'public-key',
          response: {
            clientDataJSON: 'eyJ0eXBlIjoi…',
            attestationObject: 'o2NmbXRkbm9uZWdhdHRT…',
            transports: ['internal', 'hybrid'],
          },
        },
      },
    ],
  },
)
