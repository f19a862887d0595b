import { describe, expect, test } from 'bun:test'
import { parseAssertion, verifyAssertion } from '../../../src/features/factors/webauthn/assertion.ts'
import { WebauthnFailure } from '../../../src/features/factors/webauthn/failure.ts'
import { type CredentialKind, creationOptions, requestOptions } from '../../../src/features/factors/webauthn/options.ts'
import { verifyRegistration } from '../../../src/features/factors/webauthn/registration.ts'
import { type AuthenticatorBehaviour, softAuthenticator, type Wrong } from '../../support/authenticator.ts'
import { type Encodable, Raw } from '../../support/cbor.ts'
import vectors from '../data/w3c-webauthn-vectors.json' with { type: 'json' }

const rpId = 'auth.example'
const origin = 'https://auth.example'
const origins = [origin, 'android:apk-key-hash:oTTfe2J8t6OW8xZ4bBeUqF8kZ5pJ1ZxvnbzEo2ZqJgI']
const challenge = Buffer.alloc(32, 7).toString('base64url')

function creation(kind: CredentialKind = 'passkey') {
  const user = { handle: Buffer.alloc(32, 1).toString('base64url'), name: 'ada', displayName: 'Ada' }
  return creationOptions({ kind, rpId, rpName: 'Keyward', user, exclude: [], challenge })
}
const request = requestOptions({ rpId, challenge, userVerification: 'required' })

/** The reason why `act` was refused, or its result. */
function outcomeOf<T>(act: () => T): T | string {
  try {
    return act()
  } catch (error) {
    if (error instanceof WebauthnFailure) return error.reason
    throw error
  }
}

const phone = (behaviour: Partial<AuthenticatorBehaviour> = {}) => softAuthenticator({ origin, ...behaviour })

function register(wrong: Wrong = {}, behaviour: Partial<AuthenticatorBehaviour> = {}, requireUv = true) {
  const response = phone(behaviour).create(creation(), wrong)
  return outcomeOf(() => verifyRegistration({ response, challenge, origins, rpId, requireUv }))
}

function authenticate(wrong: Wrong = {}, behaviour: Partial<AuthenticatorBehaviour> = {}, requireUv = true) {
  const device = phone(behaviour)
  const credential = verifyRegistration({
    response: device.create(creation()),
    challenge,
    origins,
    rpId,
    requireUv: false,
  })
  const response = device.get(request, wrong)
  return outcomeOf(() =>
    verifyAssertion({ assertion: parseAssertion(response), challenge, origins, rpId, credential, requireUv }),
  )
}

describe('N1: the test vectors of W3C', () => {
  const fromHex = (hex: string) => Buffer.from(hex, 'hex').toString('base64url')

  function outcomes(vector: (typeof vectors.vectors)[number], algorithms?: number[]) {
    const { registration, authentication } = vector
    const id = fromHex(registration.credential_id)
    const common = { origins: [vectors.origin], rpId: vectors.rpId, requireUv: false }
    const outer = { id, rawId: id, type: 'public-key', clientExtensionResults: {} }
    const credential = outcomeOf(() =>
      verifyRegistration({
        ...common,
        challenge: fromHex(registration.challenge),
        response: {
          ...outer,
          response: {
            clientDataJSON: fromHex(registration.clientDataJSON),
            attestationObject: fromHex(registration.attestationObject),
          },
        },
        ...(algorithms && { algorithms }),
      }),
    )
    if (typeof credential === 'string') return [credential]
    expect(credential).toMatchObject({ credentialId: id, signCount: 0, transports: [] })
    expect(credential.aaguid.replaceAll('-', '')).toBe(registration.aaguid)
    const assertion = parseAssertion({
      ...outer,
      response: {
        clientDataJSON: fromHex(authentication.clientDataJSON),
        authenticatorData: fromHex(authentication.authenticatorData),
        signature: fromHex(authentication.signature),
      },
    })
    const login = outcomeOf(() =>
      verifyAssertion({ ...common, assertion, challenge: fromHex(authentication.challenge), credential }),
    )
    return [credential.alg, typeof login === 'string' ? login : 'signed in']
  }

  test.each([
    ['none-es256', [-7, 'signed in']],
    ['packed-self-es256', [-7, 'signed in']],
    ['none-es256-crossOrigin', ['cross_origin']],
    ['none-es256-topOrigin', ['cross_origin']],
    ['none-es256-long-credential-id', [-7, 'signed in']],
    ['packed-es256', [-7, 'signed in']],
    ['packed-es384', ['algorithm']],
    ['packed-es512', ['algorithm']],
    ['packed-rs256', [-257, 'signed in']],
    ['packed-eddsa', [-8, 'signed in']],
    ['packed-ed448', ['algorithm']],
    ['tpm-es256', [-7, 'signed in']],
    ['android-key-es256', [-7, 'signed in']],
    ['apple-es256', [-7, 'signed in']],
    ['fido-u2f-es256', [-7, 'signed in']],
  ])('%s', (id, expected) => {
    expect(outcomes(vectors.vectors.find((vector) => vector.id === id)!)).toEqual(expected)
  })

  test('all are looked at', () => {
    expect(vectors.vectors.length).toBe(15)
  })

  test.each([
    ['packed-es384', -35],
    ['packed-es512', -36],
  ])('%s when its algorithm is offered', (id, alg) => {
    expect(outcomes(vectors.vectors.find((vector) => vector.id === id)!, [alg])).toEqual([alg, 'signed in'])
  })
})

describe('a registration', () => {
  test.each([[-7], [-8], [-257]])('with algorithm %d is accepted', (alg) => {
    expect(register({}, { alg, transports: ['usb', 'nfc'], counter: 5, synced: false })).toMatchObject({
      alg,
      signCount: 5,
      isUv: true,
      backupEligible: false,
      backedUp: false,
      aaguid: '00000000-0000-0000-0000-000000000000',
      transports: ['usb', 'nfc'],
    })
  })

  test('with a self attestation, with extensions, and from an app is accepted', () => {
    expect(register({}, { attestation: 'packed' })).toMatchObject({ backupEligible: true, backedUp: true })
    expect(register({ extensions: new Map([['credProtect', 2]]) })).toMatchObject({ alg: -7 })
    expect(register({ origin: origins[1] })).toMatchObject({ alg: -7 })
    expect(register({ crossOrigin: undefined })).toMatchObject({ alg: -7 })
  })

  test('without user verification is accepted only where that is allowed', () => {
    expect(register({}, { verifiesUser: false }, false)).toMatchObject({ isUv: false })
    expect(register({}, { verifiesUser: false })).toBe('user_verification')
  })

  test.each<[string, Wrong, string]>([
    ['N3: the type of an authentication', { type: 'webauthn.get' }, 'type'],
    ['N2: a foreign challenge', { challenge: Buffer.alloc(32, 8).toString('base64url') }, 'challenge'],
    ['N2: a challenge with padding', { challenge: `${challenge}=` }, 'challenge'],
    ['N2: an empty challenge', { challenge: '' }, 'challenge'],
    ['N4: an origin with http', { origin: 'http://auth.example' }, 'origin'],
    ['N4: an origin with a port', { origin: `${origin}:8443` }, 'origin'],
    ['N4: an origin with a slash', { origin: `${origin}/` }, 'origin'],
    ['N4: an origin that ends with ours', { origin: 'https://evilauth.example' }, 'origin'],
    ['N4: an origin that begins with ours', { origin: 'https://auth.example.evil.example' }, 'origin'],
    ['N4: the beginning of our origin', { origin: 'https://auth.exampl' }, 'origin'],
    ['N4: no origin', { origin: '' }, 'origin'],
    ['N4: an origin in capitals', { origin: 'https://AUTH.example' }, 'origin'],
    ['N4: the origin null', { origin: 'null' }, 'origin'],
    ['N4: a frame of another origin', { crossOrigin: true }, 'cross_origin'],
    ['N4: a frame, in other words', { crossOrigin: 'false' }, 'cross_origin'],
    ['N4: the origin of the page around it', { topOrigin: origin }, 'cross_origin'],
    ['N5: another RP id', { rpId: 'example' }, 'rp_id'],
    ['N5: nobody present', { flags: { up: false } }, 'user_presence'],
    ['N5: nobody verified', { flags: { uv: false } }, 'user_verification'],
    ['N6: an algorithm that is not offered', { alg: -35 }, 'algorithm'],
    ['N7: an id of 1024 bytes', { credentialId: Buffer.alloc(1024, 1) }, 'credential_id'],
    ['N7: an empty id', { credentialId: Buffer.alloc(0), id: 'AA' }, 'credential_id'],
    ['N7: another id outside', { id: 'AAAA' }, 'credential_id'],
    ['N7: two ids outside', { rawId: 'AAAA' }, 'credential_id'],
    ['N7: an id that is not base64url', { id: 'a+b/' }, 'credential_id'],
    ['N10: backed up without being eligible', { flags: { be: false, bs: true } }, 'backup_flags'],
    ['N11: bytes behind the authenticator data', { trailing: Buffer.of(0) }, 'authenticator_data'],
    ['N11: extensions without their flag', { extensions: new Map(), flags: { ed: false } }, 'authenticator_data'],
    ['N11: the flag of extensions without them', { flags: { ed: true } }, 'authenticator_data'],
    ['N11: extensions that are no map', { extensions: [] }, 'authenticator_data'],
    ['N11: extensions with a float', { extensions: new Raw(Buffer.from('a101f93c00', 'hex')) }, 'authenticator_data'],
    ['N11: no attested data', { flags: { at: false } }, 'authenticator_data'],
    ['N11: no CBOR', { attestationObject: Buffer.from('{}') }, 'attestation_object'],
    ['N11: an empty map', { attestationObject: Buffer.of(0xa0) }, 'attestation_object'],
    ['no authData', { attestationObject: (members) => members.delete('authData') }, 'attestation_object'],
    ['no attStmt', { attestationObject: (members) => members.delete('attStmt') }, 'attestation_object'],
    ['text as attStmt', { attStmt: 'none' }, 'attestation_object'],
    ['short authData', { attestationObject: (all) => all.set('authData', Buffer.alloc(36)) }, 'authenticator_data'],
    ['none with a statement', { attStmt: new Map([['alg', -7]]) }, 'attestation'],
    ['none with an array', { attStmt: [] }, 'attestation'],
    ['a self attestation without a signature', { fmt: 'packed', attStmt: new Map([['alg', -7]]) }, 'attestation'],
    ['a self attestation that is wrong', { fmt: 'packed', signature: Buffer.alloc(70) }, 'attestation'],
    ['a self attestation of another algorithm', { fmt: 'packed', attestationObject: withAlg }, 'attestation'],
    ['another type', { responseType: 'password' }, 'malformed_response'],
    ['client data that is no JSON', { clientData: '{' }, 'client_data'],
    ['client data that is no object', { clientData: '[]' }, 'client_data'],
    ['client data without a type', { clientData: { type: undefined } }, 'client_data'],
    ['client data with a byte order mark', { clientData: `\ufeff${clientDataText()}` }, 'client_data'],
    ['client data with a member twice', { clientData: `{"type":"x",${clientDataText().slice(1)}` }, 'client_data'],
    ['client data in UTF-16', { clientData: Buffer.from(clientDataText(), 'utf16le') }, 'client_data'],
    [
      'client data that is not UTF-8',
      { clientData: Buffer.from(`${clientDataText().slice(0, -1)},"x":"\u00ff"}`, 'latin1') },
      'client_data',
    ],
  ])('is refused: %s', (_, wrong, reason) => {
    expect(register(wrong)).toBe(reason)
  })

  test('whose statement has another format is accepted, and the statement ignored', () => {
    expect(register({ fmt: 'tpm', attStmt: new Map([['sig', Buffer.of(1)]]) })).toMatchObject({ alg: -7 })
    expect(register({ fmt: 'packed', attStmt: new Map<string, Encodable>([['x5c', []]]) })).toMatchObject({ alg: -7 })
    expect(register({ fmt: 'compound', attStmt: [] })).toMatchObject({ alg: -7 })
  })

  test('keeps at most ten transports, and no odd ones', () => {
    const odd = ['usb', 'usb', 1, null, '', 'a\u0000b', 'x'.repeat(33), 'hybrid']
    expect(register({ transports: odd })).toMatchObject({ transports: ['usb', 'hybrid'] })
    expect(register({ transports: Array.from({ length: 40 }, (_, n) => `t${n}`) })).toMatchObject({
      transports: Array.from({ length: 10 }, (_, n) => `t${n}`),
    })
    for (const transports of [undefined, null, 'usb', {}])
      expect(register({ transports })).toMatchObject({ transports: [] })
  })

  test('N7: an id of 1023 bytes is accepted', () => {
    expect(register({ credentialId: Buffer.alloc(1023, 1) })).toMatchObject({ alg: -7 })
  })
})

function clientDataOf(type: string) {
  return JSON.stringify({ type, challenge, origin, crossOrigin: false })
}
function clientDataText() {
  return clientDataOf('webauthn.create')
}
/** The signature of the statement is right, and its algorithm another one than that of the key. */
function withAlg(members: Map<string, Encodable>) {
  const statement = members.get('attStmt') as Map<string, Encodable>
  statement.set('alg', -8)
}

describe('N6: a public key is refused', () => {
  const real = (alg: number) => {
    const found = phone({ alg }).create(creation(), {
      attestationObject: (members) => {
        authData = members.get('authData') as Uint8Array
      },
    })
    expect(found.type).toBe('public-key')
    return authData
  }
  let authData: Uint8Array = new Uint8Array()
  const es256 = (change: (members: Map<number | string, Encodable>) => void) => {
    const cose = real(-7).subarray(-77)
    const members = new Map<number | string, Encodable>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, cose.subarray(10, 42)],
      [-3, cose.subarray(45, 77)],
    ])
    change(members)
    return register({ publicKey: members })
  }
  const rs256 = (n: Uint8Array, e: Uint8Array) =>
    register({
      alg: -257,
      publicKey: new Map<number, Encodable>([
        [1, 3],
        [3, -257],
        [-1, n],
        [-2, e],
      ]),
    })
  const modulus = (bits: number) => {
    const bytes = Buffer.alloc(Math.ceil(bits / 8), 0xff)
    bytes[0] = 0xff >> (bytes.length * 8 - bits)
    return bytes
  }
  const usual = Buffer.of(1, 0, 1)

  test('the unchanged one is accepted', () => {
    expect(es256(() => {})).toMatchObject({ alg: -7 })
    expect(rs256(modulus(2048), usual)).toMatchObject({ alg: -257 })
    expect(rs256(modulus(4096), usual)).toMatchObject({ alg: -257 })
  })

  test.each<[string, (members: Map<number | string, Encodable>) => unknown]>([
    ['a point off the curve', (members) => members.set(-3, Buffer.alloc(32, 1))],
    ['the point at infinity', (members) => members.set(-2, Buffer.alloc(32)).set(-3, Buffer.alloc(32))],
    ['a short coordinate', (members) => members.set(-2, Buffer.alloc(31, 1))],
    ['a long coordinate', (members) => members.set(-2, Buffer.alloc(33, 1))],
    ['a compressed point', (members) => members.set(-3, true)],
    ['no y', (members) => members.delete(-3)],
    ['another curve', (members) => members.set(-1, 2)],
    ['another key type', (members) => members.set(1, 1)],
    ['no algorithm', (members) => members.delete(3)],
    ['a private key', (members) => members.set(-4, Buffer.alloc(32, 1))],
  ])('ES256: %s', (_, change) => {
    expect(es256(change)).toBe('public_key')
  })

  test('Ed25519: another length or curve', () => {
    const okp = (crv: number, x: Encodable) =>
      register({
        publicKey: new Map([
          [1, 1],
          [3, -8],
          [-1, crv],
          [-2, x],
        ] as [number, Encodable][]),
      })
    expect(okp(6, Buffer.alloc(32, 9))).toMatchObject({ alg: -8 })
    expect(okp(6, Buffer.alloc(31, 9))).toBe('public_key')
    expect(okp(7, Buffer.alloc(57, 9))).toBe('public_key')
  })

  test.each([
    ['2047 bits', modulus(2047), usual],
    ['1024 bits', modulus(1024), usual],
    ['more than 4096 bits', modulus(4104), usual],
    ['a leading zero', Buffer.concat([Buffer.of(0), modulus(2048)]), usual],
    ['no modulus', Buffer.alloc(0), usual],
    ['an even modulus', Buffer.concat([modulus(2040), Buffer.of(0xfe)]), usual],
    ['exponent 1', modulus(2048), Buffer.of(1)],
    ['exponent 3', modulus(2048), Buffer.of(3)],
    ['exponent 3 with leading zeros', modulus(2048), Buffer.of(0, 0, 3)],
    ['an even exponent', modulus(2048), Buffer.of(1, 0, 0)],
    ['an exponent of 40 bits', modulus(2048), Buffer.of(1, 0, 0, 0, 1)],
  ])('RS256: %s', (_, n, e) => {
    expect(rs256(n, e)).toBe('public_key')
  })
})

describe('an authentication', () => {
  test.each([[-7], [-8], [-257]])('with algorithm %d is accepted', (alg) => {
    expect(authenticate({}, { alg, counter: 5, synced: false })).toEqual({ signCount: 6, isUv: true, backedUp: false })
    expect(authenticate({}, { alg })).toEqual({ signCount: 0, isUv: true, backedUp: true })
  })

  test('without user verification is accepted only where that is allowed', () => {
    expect(authenticate({ flags: { uv: false } }, {}, false)).toMatchObject({ isUv: false })
    expect(authenticate({ flags: { uv: false } })).toBe('user_verification')
  })

  test('N10: a credential may be backed up later, but not become eligible for it', () => {
    expect(authenticate({ flags: { bs: false } })).toMatchObject({ backedUp: false })
    expect(authenticate({ flags: { be: false, bs: false } })).toBe('backup_eligibility_changed')
    expect(authenticate({ flags: { be: true } }, { synced: false })).toBe('backup_eligibility_changed')
    expect(authenticate({ flags: { bs: true } }, { synced: false })).toBe('backup_flags')
  })

  test.each<[string, Wrong, string]>([
    ['N3: the type of a registration', { type: 'webauthn.create' }, 'type'],
    ['N2: a foreign challenge', { challenge: Buffer.alloc(32, 8).toString('base64url') }, 'challenge'],
    ['N4: a foreign origin', { origin: 'https://evil.example' }, 'origin'],
    ['N4: a frame of another origin', { crossOrigin: true }, 'cross_origin'],
    ['N4: the origin of the page around it', { topOrigin: origin }, 'cross_origin'],
    ['N5: another RP id', { rpId: 'evil.example' }, 'rp_id'],
    ['N5: nobody present', { flags: { up: false } }, 'user_presence'],
    ['N5: nobody verified', { flags: { uv: false } }, 'user_verification'],
    ['a signature of another key', { signedBy: stranger() }, 'signature'],
    ['an id that is not base64url', { id: 'a+b/' }, 'credential_id'],
    ['an id with NUL', { id: 'AAA\u0000' }, 'credential_id'],
    ['no id', { id: '' }, 'credential_id'],
    ['an empty signature', { signature: Buffer.alloc(0) }, 'signature'],
    ['a signature in the form of JWS', { signature: Buffer.alloc(64, 1) }, 'signature'],
    ['a user handle that is too long', { userHandle: Buffer.alloc(65).toString('base64url') }, 'malformed_response'],
    ['a user handle that is not base64url', { userHandle: '=' }, 'malformed_response'],
    ['N11: bytes behind the authenticator data', { trailing: Buffer.of(0) }, 'authenticator_data'],
    ['client data with a byte order mark', { clientData: `\ufeff${clientDataOf('webauthn.get')}` }, 'client_data'],
  ])('is refused: %s', (_, wrong, reason) => {
    expect(authenticate(wrong)).toBe(reason)
  })

  test('N2: cannot be changed after the signature, neither the client data nor the authenticator data', () => {
    const device = phone()
    const common = { challenge, origins, rpId, requireUv: true }
    const credential = verifyRegistration({ ...common, response: device.create(creation()) })
    const right = device.get(request)
    const other = device.get({ ...request, challenge: 'AAAA' })
    const check = (response: unknown) =>
      outcomeOf(() => verifyAssertion({ ...common, assertion: parseAssertion(response), credential }))
    expect(check(right)).toEqual({ signCount: 0, isUv: true, backedUp: true })
    // The right challenge in the client data, but the signature covers another one
    const { signature } = other.response
    expect(check({ ...right, response: { ...right.response, signature } })).toBe('signature')
    const data = Buffer.from(right.response.authenticatorData, 'base64url')
    data[36]! += 1
    const authenticatorData = data.toString('base64url')
    expect(check({ ...right, response: { ...right.response, authenticatorData } })).toBe('signature')
  })

  test('N8: shows the credential and the user handle before they are proved', () => {
    const device = phone()
    device.create(creation())
    const { credentialId, userHandle, clientData } = parseAssertion(device.get(request))
    expect(credentialId).toBe(Buffer.from(device.credentials[0]!.id).toString('base64url'))
    expect(userHandle).toBe(creation().user.id)
    expect(clientData).toEqual({ type: 'webauthn.get', challenge, origin, isCrossOrigin: false })
    for (const absent of [null, ''])
      expect(parseAssertion(device.get(request, { userHandle: absent })).userHandle).toBeUndefined()
    expect(parseAssertion(device.get(request, { userHandle: 'AAAA' })).userHandle).toBe('AAAA')
  })
})

function stranger() {
  const device = phone()
  device.create(creation())
  return device.credentials[0]!
}
