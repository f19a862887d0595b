import { expect, test } from 'bun:test'
import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import fc from 'fast-check'
import { parseAssertion, verifyAssertion } from '../../../src/features/factors/webauthn/assertion.ts'
import { offeredAlgorithms } from '../../../src/features/factors/webauthn/cose-key.ts'
import { WebauthnFailure, type WebauthnReason } from '../../../src/features/factors/webauthn/failure.ts'
import { creationOptions, requestOptions } from '../../../src/features/factors/webauthn/options.ts'
import { type NewCredential, verifyRegistration } from '../../../src/features/factors/webauthn/registration.ts'
import {
  type AssertionJson,
  type AuthenticatorBehaviour,
  type RegistrationJson,
  softAuthenticator,
  type Wrong,
} from '../../support/authenticator.ts'

const rpId = 'auth.example'
const origin = 'https://auth.example'
const origins = [origin, 'https://other.example']
const challenge = Buffer.alloc(32, 7).toString('base64url')
const user = { handle: Buffer.alloc(32, 1).toString('base64url'), name: 'ada', displayName: 'Ada' }
const creation = creationOptions({ kind: 'passkey', rpId, rpName: 'Keyward', user, exclude: [], challenge })
const request = requestOptions({ rpId, challenge, userVerification: 'required' })

/**
 * What Keyward refuses and `@simplewebauthn/server` 14.0.3 accepts: a frame of another origin, client data that is not
 * strict JSON, a credential id that is too long, BE that changed, keys with members too many, and CBOR or base64url
 * that is not strict.
 */
const stricter: readonly WebauthnReason[] = [
  'cross_origin',
  'client_data',
  'credential_id',
  'backup_eligibility_changed',
  'public_key',
  'attestation_object',
  'authenticator_data',
  'malformed_response',
]

/** Ours: the result, or the reason of the refusal. Anything else that is thrown fails the test. */
function ours<T>(act: () => T): { result: T } | { reason: WebauthnReason } {
  try {
    return { result: act() }
  } catch (error) {
    if (error instanceof WebauthnFailure) return { reason: error.reason }
    throw error
  }
}

const registerOurs = (response: unknown, requireUv: boolean) =>
  ours(() => verifyRegistration({ response, challenge, origins, rpId, requireUv }))

async function registerTheirs(response: RegistrationJson, requireUserVerification: boolean) {
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origins,
      expectedRPID: rpId,
      requireUserVerification,
      supportedAlgorithmIDs: [...offeredAlgorithms],
    })
    return verified ? registrationInfo : undefined
  } catch {
    return undefined
  }
}

const assertOurs = (response: unknown, credential: NewCredential, requireUv: boolean) =>
  ours(() => verifyAssertion({ assertion: parseAssertion(response), challenge, origins, rpId, credential, requireUv }))

async function assertTheirs(response: AssertionJson, credential: NewCredential, requireUserVerification: boolean) {
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: response as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origins,
      expectedRPID: rpId,
      credential: {
        id: credential.credentialId,
        publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')),
        counter: 0,
      },
      requireUserVerification,
    })
    return verified ? authenticationInfo : undefined
  } catch {
    return undefined
  }
}

/** Mostly right, so that many answers are accepted and others are wrong in one place. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

const behaviour: fc.Arbitrary<AuthenticatorBehaviour> = fc.record({
  origin: fc.constantFrom(...origins),
  alg: fc.constantFrom(-7, -8, -257),
  verifiesUser: fc.boolean(),
  synced: fc.boolean(),
  counter: fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 2),
  attestation: fc.constantFrom('none', 'packed'),
  aaguid: fc.uuid(),
})

const wrong: fc.Arbitrary<Wrong> = fc
  .record({
    type: rarely(fc.constantFrom('webauthn.create', 'webauthn.get', '')),
    challenge: rarely(fc.constantFrom('', 'AAAA', `${challenge}=`)),
    origin: rarely(fc.constantFrom('https://evil.example', `${origin}:443`, `${origin}/`, 'null')),
    crossOrigin: rarely(fc.constantFrom(true, 'false', null, 1)),
    topOrigin: rarely(fc.constantFrom(origin, 'https://evil.example', null)),
    rpId: rarely(fc.constantFrom('evil.example', 'AUTH.example')),
    flags: rarely(
      fc.record(
        { up: fc.boolean(), uv: fc.boolean(), be: fc.boolean(), bs: fc.boolean(), ed: fc.boolean() },
        { requiredKeys: [] },
      ),
    ),
    extensions: rarely(fc.constantFrom(new Map([['credProtect', 2]]), new Map())),
    trailing: rarely(fc.uint8Array({ minLength: 1, maxLength: 4 })),
    alg: rarely(fc.constantFrom(-35, -36)),
    credentialId: rarely(fc.constantFrom(Buffer.alloc(1023, 1), Buffer.alloc(1024, 1), Buffer.of(1))),
    id: rarely(fc.constantFrom('AAAA', 'A', '')),
    rawId: rarely(fc.constantFrom('AAAA')),
    responseType: rarely(fc.constantFrom('password')),
    attStmt: rarely(fc.constantFrom(new Map(), new Map([['alg', -7]]))),
    signature: rarely(fc.uint8Array({ maxLength: 72 })),
  })
  .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Wrong)

test('what is accepted, @simplewebauthn/server accepts with the same result; what is refused, it refuses, save where Keyward is stricter', async () => {
  const seen = { registered: 0, refused: 0, signedIn: 0, notSignedIn: 0 }
  await fc.assert(
    fc.asyncProperty(behaviour, wrong, wrong, fc.boolean(), async (how, first, second, requireUv) => {
      const device = softAuthenticator({ seed: 'oracle', ...how })
      const registration = device.create(creation, first)
      const mine = registerOurs(registration, requireUv)
      const theirs = await registerTheirs(registration, requireUv)
      if ('reason' in mine) {
        seen.refused++
        if (theirs) expect(stricter).toContain(mine.reason)
        return
      }
      seen.registered++
      const credential = mine.result
      expect(theirs).toMatchObject({
        aaguid: credential.aaguid,
        credential: { id: credential.credentialId, counter: credential.signCount },
        userVerified: credential.isUv,
        credentialDeviceType: credential.backupEligible ? 'multiDevice' : 'singleDevice',
        credentialBackedUp: credential.backedUp,
      })
      expect(Buffer.from(theirs!.credential.publicKey).toString('base64url')).toBe(credential.publicKey)

      const assertion = device.get(request, { ...second, ...(second.id && { rawId: second.id }) })
      const login = assertOurs(assertion, credential, requireUv)
      const theirLogin = await assertTheirs(assertion, credential, requireUv)
      if ('reason' in login) {
        seen.notSignedIn++
        if (theirLogin) expect(stricter).toContain(login.reason)
        return
      }
      seen.signedIn++
      expect(theirLogin).toMatchObject({
        newCounter: login.result.signCount,
        userVerified: login.result.isUv,
        credentialBackedUp: login.result.backedUp,
      })
    }),
    { numRuns: 400, seed: 22 },
  )
  // The property is worth something only while each way is taken often.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(40)
})

test('every bit of an assertion counts', () => {
  const device = softAuthenticator({ origin, seed: 'bits', synced: false })
  const registration = registerOurs(device.create(creation), true)
  if ('reason' in registration) throw new Error(registration.reason)
  const assertion = device.get(request)
  expect(assertOurs(assertion, registration.result, true)).toHaveProperty('result')
  for (const member of ['clientDataJSON', 'authenticatorData', 'signature'] as const) {
    const bytes = Buffer.from(assertion.response[member], 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const response = { ...assertion.response, [member]: changed.toString('base64url') }
      expect(assertOurs({ ...assertion, response }, registration.result, true)).toHaveProperty('reason')
    }
  }
})

test('a response of any form throws nothing but WebauthnFailure', () => {
  const device = softAuthenticator({ origin, seed: 'noise', attestation: 'packed' })
  const registration = device.create(creation)
  const mine = registerOurs(registration, true)
  if ('reason' in mine) throw new Error(mine.reason)
  const assertion = device.get(request)
  const noise = fc.oneof(
    fc.anything(),
    fc.base64String(),
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  )
  /** The response with some of its members replaced or left out. */
  const damaged = (response: object) =>
    fc
      .dictionary(fc.constantFrom(...Object.keys(response), 'userHandle'), noise)
      .map((some) => ({ ...response, ...some }))
  const responses = fc.oneof(
    fc.anything(),
    fc.jsonValue(),
    damaged(registration.response).map((response) => ({ ...registration, response })),
    damaged(assertion.response).map((response) => ({ ...assertion, response })),
    damaged(registration),
    damaged(assertion),
    // Bytes of the attestation object or the authenticator data overwritten, cut or put in between
    fc
      .tuple(fc.constantFrom('attestationObject', 'authenticatorData'), fc.nat(), fc.nat(40), fc.uint8Array())
      .map(([member, at, cut, put]) => {
        const whole = member === 'attestationObject' ? registration : assertion
        const text = (whole.response as unknown as Record<string, string>)[member]!
        const bytes = Buffer.from(text, 'base64url')
        const from = at % bytes.length
        const changed = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + cut)])
        return { ...whole, response: { ...whole.response, [member]: changed.toString('base64url') } }
      }),
  )
  fc.assert(
    fc.property(responses, fc.boolean(), (response, requireUv) => {
      registerOurs(response, requireUv)
      assertOurs(response, mine.result, requireUv)
    }),
    { numRuns: 3000, seed: 22 },
  )
})
