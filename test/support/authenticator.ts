import { createECDH, createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { CreationOptionsJson, RequestOptionsJson } from '../../src/features/factors/webauthn/options.ts'
import { type Encodable, encodeCbor } from './cbor.ts'

/** How an authenticator behaves. Without options it is like a phone: ES256, verifies its user, keys are synchronised. */
export interface AuthenticatorBehaviour {
  /** The origin of the page that calls the authenticator, such as `https://auth.example`. */
  origin: string
  /** The algorithm it makes keys for, if that is offered: -7 ES256 (default), -8 EdDSA, -257 RS256, -35 ES384, -36 ES512. */
  alg?: number
  /** It verifies the user. With false the flag UV is never set, as with a key without PIN. Default true. */
  verifiesUser?: boolean
  /** The flags BE and BS of its credentials. Default true. */
  synced?: boolean
  /** The counter before the first assertion; each assertion adds one. Default 0 and always 0, as synced passkeys have. */
  counter?: number
  /** A UUID. Default all zeros. */
  aaguid?: string
  transports?: string[]
  /** `none` (default), or `packed` for a self attestation. */
  attestation?: 'none' | 'packed'
  /** Makes ids and keys of ES256 and EdDSA repeatable. Two authenticators with one seed are clones. */
  seed?: string
}

/** What one answer gets wrong. Each member replaces what a correct authenticator or browser would say. */
export interface Wrong {
  type?: string
  challenge?: string
  origin?: string
  crossOrigin?: unknown
  topOrigin?: unknown
  /** Further members of the client data, or the whole text. */
  clientData?: Record<string, unknown> | string | Uint8Array
  /** The name that is hashed into the authenticator data. */
  rpId?: string
  /** Single flags: UP, UV, BE, BS, AT (attested data follow), ED (extensions follow). */
  flags?: Partial<Record<'up' | 'uv' | 'be' | 'bs' | 'at' | 'ed', boolean>>
  counter?: number
  /** Extension outputs: they follow the authenticator data, with ED set. */
  extensions?: Encodable
  /** Bytes behind the authenticator data; they are signed too. */
  trailing?: Uint8Array
  /** The COSE key of a registration: its members, or its bytes. */
  publicKey?: Map<number | string, Encodable> | Uint8Array
  /** The algorithm of the key, whether offered or not. */
  alg?: number
  /** The id in the attested data of a registration, and in an assertion the `id`. */
  credentialId?: Uint8Array
  /** `id` and `rawId` of the JSON. */
  id?: string
  rawId?: string
  responseType?: string
  fmt?: string
  attStmt?: Encodable
  /** Changes the attestation object before it is encoded, or replaces its bytes. */
  attestationObject?: Uint8Array | ((members: Map<string, Encodable>) => void)
  /** Signs with the key of another authenticator. */
  signedBy?: SoftCredential
  signature?: Uint8Array
  /** The user handle of an assertion, in base64url; null leaves it out. */
  userHandle?: string | null
  transports?: unknown
}

/** A credential as it lies in an authenticator. */
export interface SoftCredential {
  id: Uint8Array
  rpId: string
  userHandle: string
  alg: number
  privateKey: KeyObject
  counter: number
  isResident: boolean
}

/** RegistrationResponseJSON of WebAuthn section 5.1. */
export interface RegistrationJson {
  id: string
  rawId: string
  type: string
  response: { clientDataJSON: string; attestationObject: string; transports: unknown }
  clientExtensionResults: Record<string, unknown>
}

/** AuthenticationResponseJSON of WebAuthn section 5.1. */
export interface AssertionJson {
  id: string
  rawId: string
  type: string
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle?: string }
  clientExtensionResults: Record<string, unknown>
}

export interface SoftAuthenticator {
  readonly credentials: SoftCredential[]
  /**
   * Answers creation options as a browser and an authenticator do, and keeps the credential.
   * @throws Error when it already has one of the excluded credentials, or makes no key of an offered algorithm
   */
  create(options: CreationOptionsJson, wrong?: Wrong): RegistrationJson
  /**
   * Answers request options with the newest credential for this RP id that is allowed; without allowed ones, with the
   * newest resident one.
   * @throws Error when there is none
   */
  get(options: RequestOptionsJson, wrong?: Wrong): AssertionJson
}

/**
 * Makes an authenticator together with its browser, in software. It answers options in JSON with responses in JSON:
 *
 *     const phone = softAuthenticator({ origin: 'https://auth.example' })
 *     const registration = phone.create(creationOptions)
 *     const assertion = phone.get(requestOptions)
 *     const forged = phone.get(requestOptions, { origin: 'https://evil.example', flags: { uv: false } })
 */
export function softAuthenticator(behaviour: AuthenticatorBehaviour): SoftAuthenticator {
  const { alg = -7, verifiesUser = true, synced = true, seed = `authenticator ${++made}` } = behaviour
  const credentials: SoftCredential[] = []

  const flagsOf = (more: { at?: boolean; ed?: boolean }, isUvWanted: boolean, wrong: Wrong): number => {
    const set = { up: true, uv: verifiesUser && isUvWanted, be: synced, bs: synced, at: false, ed: false, ...more }
    return Object.entries({ ...set, ...wrong.flags }).reduce(
      (bits, [name, isSet]) => bits | (isSet ? bitOf[name as keyof typeof bitOf] : 0),
      0,
    )
  }
  const authenticatorData = (rpId: string, flags: number, counter: number, attested: Uint8Array, wrong: Wrong) => {
    const fixed = Buffer.alloc(37)
    fixed.set(hash(wrong.rpId ?? rpId))
    fixed[32] = flags
    fixed.writeUInt32BE(wrong.counter ?? counter, 33)
    const extensions = wrong.extensions === undefined ? Buffer.alloc(0) : encodeCbor(wrong.extensions)
    return Buffer.concat([fixed, attested, extensions, wrong.trailing ?? Buffer.alloc(0)])
  }
  const clientDataOf = (type: string, challenge: string, wrong: Wrong): Uint8Array => {
    if (typeof wrong.clientData === 'string' || wrong.clientData instanceof Uint8Array)
      return Buffer.from(wrong.clientData as string)
    const said = {
      type: wrong.type ?? type,
      challenge: wrong.challenge ?? challenge,
      origin: wrong.origin ?? behaviour.origin,
      crossOrigin: 'crossOrigin' in wrong ? wrong.crossOrigin : false,
      ...('topOrigin' in wrong && { topOrigin: wrong.topOrigin }),
    }
    return Buffer.from(JSON.stringify({ ...said, ...wrong.clientData }))
  }
  const outer = (id: Uint8Array, wrong: Wrong) => ({
    id: wrong.id ?? base64url(id),
    rawId: wrong.rawId ?? wrong.id ?? base64url(id),
    type: wrong.responseType ?? 'public-key',
    clientExtensionResults: {},
  })

  return {
    credentials,
    create(options, wrong = {}) {
      if (options.excludeCredentials.some(({ id }) => credentials.some((one) => base64url(one.id) === id)))
        throw new Error('InvalidStateError: the authenticator is registered already')
      const keyAlg = wrong.alg ?? alg
      if (wrong.alg === undefined && !options.pubKeyCredParams.some((offered) => offered.alg === keyAlg))
        throw new Error('NotSupportedError: no offered algorithm')
      const own = `${seed}/${credentials.length}`
      const { privateKey, cose } = newKey(keyAlg, own)
      const credential: SoftCredential = {
        id: wrong.credentialId ?? hash(`id of ${own}`),
        rpId: options.rp.id,
        userHandle: options.user.id,
        alg: keyAlg,
        privateKey,
        counter: behaviour.counter ?? 0,
        isResident: options.authenticatorSelection.residentKey !== 'discouraged' || synced,
      }
      credentials.push(credential)
      const cosebytes = wrong.publicKey instanceof Uint8Array ? wrong.publicKey : encodeCbor(wrong.publicKey ?? cose)
      const idLength = Buffer.alloc(2)
      idLength.writeUInt16BE(credential.id.length)
      const aaguid = Buffer.from((behaviour.aaguid ?? '').replaceAll('-', '').padEnd(32, '0'), 'hex')
      const attested = Buffer.concat([aaguid, idLength, credential.id, cosebytes])
      const isUvWanted = options.authenticatorSelection.userVerification !== 'discouraged' || synced
      const flags = flagsOf({ at: true, ed: wrong.extensions !== undefined }, isUvWanted, wrong)
      const withAttested = wrong.flags?.at === false ? Buffer.alloc(0) : attested
      const authData = authenticatorData(options.rp.id, flags, credential.counter, withAttested, wrong)
      const clientData = clientDataOf('webauthn.create', options.challenge, wrong)
      const fmt = wrong.fmt ?? behaviour.attestation ?? 'none'
      const signer = wrong.signedBy ?? credential
      const statement: Encodable =
        fmt === 'packed'
          ? new Map<string, Encodable>([
              ['alg', keyAlg],
              ['sig', wrong.signature ?? signed(signer, authData, clientData)],
            ])
          : new Map()
      const members = new Map<string, Encodable>([
        ['fmt', fmt],
        ['attStmt', wrong.attStmt === undefined ? statement : wrong.attStmt],
        ['authData', authData],
      ])
      if (typeof wrong.attestationObject === 'function') wrong.attestationObject(members)
      const object = wrong.attestationObject instanceof Uint8Array ? wrong.attestationObject : encodeCbor(members)
      return {
        ...outer(credential.id, wrong),
        response: {
          clientDataJSON: base64url(clientData),
          attestationObject: base64url(object),
          transports: 'transports' in wrong ? wrong.transports : (behaviour.transports ?? ['internal', 'hybrid']),
        },
      }
    },
    get(options, wrong = {}) {
      const allowed = options.allowCredentials.map(({ id }) => id)
      const credential = credentials.findLast(
        ({ id, rpId, isResident }) =>
          rpId === options.rpId && (allowed.length === 0 ? isResident : allowed.includes(base64url(id))),
      )
      if (!credential) throw new Error('NotAllowedError: the authenticator has no credential for this')
      if (behaviour.counter !== undefined) credential.counter++
      const isUvWanted = options.userVerification !== 'discouraged' || synced
      const flags = flagsOf({ ed: wrong.extensions !== undefined }, isUvWanted, wrong)
      const authData = authenticatorData(options.rpId, flags, credential.counter, Buffer.alloc(0), wrong)
      const clientData = clientDataOf('webauthn.get', options.challenge, wrong)
      const userHandle = wrong.userHandle === undefined ? credential.userHandle : wrong.userHandle
      return {
        ...outer(wrong.credentialId ?? credential.id, wrong),
        response: {
          clientDataJSON: base64url(clientData),
          authenticatorData: base64url(authData),
          signature: base64url(wrong.signature ?? signed(wrong.signedBy ?? credential, authData, clientData)),
          ...(userHandle !== null && (credential.isResident || wrong.userHandle) && { userHandle }),
        },
      }
    },
  }
}

let made = 0
const bitOf = { up: 0x01, uv: 0x04, be: 0x08, bs: 0x10, at: 0x40, ed: 0x80 }
const hash = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

function signed({ alg, privateKey }: SoftCredential, authData: Uint8Array, clientData: Uint8Array): Uint8Array {
  const hashName = { [-8]: null, [-35]: 'sha384', [-36]: 'sha512' }[alg]
  return sign(hashName === undefined ? 'sha256' : hashName, Buffer.concat([authData, hash(clientData)]), privateKey)
}

/** Makes a key, and its COSE members (RFC 9053 section 7, RFC 8230 section 4). */
function newKey(alg: number, seed: string): { privateKey: KeyObject; cose: Map<number, Encodable> } {
  const ec = {
    [-7]: ['P-256', 'prime256v1', 1],
    [-35]: ['P-384', 'secp384r1', 2],
    [-36]: ['P-521', 'secp521r1', 3],
  } as const
  if (alg === -8) {
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), hash(`key of ${seed}`)])
    const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
    return {
      privateKey,
      cose: new Map<number, Encodable>([
        [1, 1],
        [3, -8],
        [-1, 6],
        [-2, jwkBytes(privateKey, 'x')],
      ]),
    }
  }
  if (alg === -257) {
    rsaKey ??= generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const members: [number, Encodable][] = [
      [1, 3],
      [3, -257],
      [-1, jwkBytes(rsaKey, 'n')],
      [-2, jwkBytes(rsaKey, 'e')],
    ]
    return { privateKey: rsaKey, cose: new Map(members) }
  }
  const curve = ec[alg as keyof typeof ec]
  if (!curve) throw new Error(`the software authenticator knows no algorithm ${alg}`)
  const privateKey = alg === -7 ? p256(seed) : generateKeyPairSync('ec', { namedCurve: curve[1] }).privateKey
  const [x, y] = [jwkBytes(privateKey, 'x'), jwkBytes(privateKey, 'y')]
  return {
    privateKey,
    cose: new Map<number, Encodable>([
      [1, 2],
      [3, alg],
      [-1, curve[2]],
      [-2, x],
      [-3, y],
    ]),
  }
}

/** One RSA key for all: it takes a while to find one. */
let rsaKey: KeyObject | undefined

function p256(seed: string): KeyObject {
  const ecdh = createECDH('prime256v1')
  const d = hash(`key of ${seed}`)
  ecdh.setPrivateKey(d)
  const point = ecdh.getPublicKey()
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    d: base64url(d),
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

const jwkBytes = (key: KeyObject, name: 'x' | 'y' | 'n' | 'e'): Uint8Array =>
  Buffer.from(key.export({ format: 'jwk' })[name]!, 'base64url')
