import type { Clock } from '../../lib/clock.ts'
import { DAY, SECOND, toDate } from '../../lib/clock.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../lib/encoding.ts'
import { constantTimeEqual, hmacSha256 } from '../../lib/hash.ts'
import type { MacKeys } from '../secrets/secrets.ts'
import type { User } from '../users/users.ts'

/** The content of a genuine device token. `Sessions.findDevice` says whether it is still valid. */
export interface Device {
  /** Stays the same when a later login from the device renews the token. */
  deviceId: string
  userId: number
  /** The device epoch in a token of a version before 0.3.0. */
  epoch?: number
}

export interface DeviceTokens {
  /** Makes a device token, which expires after 180 days. */
  make(device: { deviceId: string; userId: number }): Promise<string>
  /** Reads a token. @returns undefined when Keyward did not make the token, or the token has expired */
  read(token: string): Promise<Device | undefined>
  /** The same token as `make`, without waiting behind password hashes. */
  makeNow(device: { deviceId: string; userId: number }): string
  /** Reads a token as `read` does, without waiting behind password hashes. */
  readNow(token: string): Device | undefined
}

/** How long a device token is valid, in every version. */
export const LIFETIME = 180 * DAY
const TYPE = 'keyward-device+jwt'
const AUDIENCE = 'keyward:device'
const MAX_LENGTH = 1_024

/**
 * Makes and reads device tokens. A device token is a JWT, signed with HS256 and a data key. The token contains the id
 * of a row of `devices`; a token of a version before 0.3.0 contains the user's device epoch. To forge a token, an
 * attacker needs the data key and this id or epoch. A device token grants no access: it distinguishes a returning user
 * from a stranger who guesses passwords.
 *
 * The package @elysiajs/jwt signs and verifies the tokens in Bun's thread pool, where this work waits behind password
 * hashing. Therefore only routes that hash passwords use device tokens. The package is loaded when the first device
 * token is made or read, because the package also loads the whole library jose.
 */
export function createDeviceTokens({ macKeys, clock }: { macKeys: () => MacKeys; clock: Clock }): DeviceTokens {
  const expiry = () => Math.floor((clock.now() + LIFETIME) / SECOND)
  const signers = new WeakMap<Uint8Array, Promise<Signer>>()
  const signerOf = (key: Uint8Array) => {
    const signer = signers.get(key) ?? createSigner(key)
    signers.set(key, signer)
    return signer
  }
  return {
    async make({ deviceId, userId }) {
      const signer = await signerOf(macKeys()[0])
      return signer.sign({
        sub: String(userId),
        aud: AUDIENCE,
        jti: deviceId,
        exp: expiry(),
        iat: false,
      })
    },
    async read(token) {
      if (token.length > MAX_LENGTH) return undefined
      const options = { audience: AUDIENCE, typ: TYPE, algorithms: ['HS256'], currentDate: toDate(clock.now()) }
      for (const key of macKeys()) {
        const claims = await (await signerOf(key)).verify(token, options)
        if (claims === false) continue
        const device = deviceIn(claims)
        if (device) return device
      }
      return undefined
    },
    makeNow({ deviceId, userId }) {
      const claims = JSON.stringify({ aud: AUDIENCE, jti: deviceId, sub: String(userId), exp: expiry() })
      const signed = `${HEADER}.${toBase64Url(utf8(claims))}`
      return `${signed}.${toBase64Url(macOf(macKeys()[0], signed))}`
    },
    readNow(token) {
      const [header, claims, mac, ...more] = token.length > MAX_LENGTH ? [] : token.split('.')
      const given = fromBase64Url(mac ?? '')
      if (header !== HEADER || claims === undefined || !given || more.length > 0) return undefined
      if (!macKeys().some((key) => constantTimeEqual(macOf(key, `${header}.${claims}`), given))) return undefined
      const read = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Claims
      return read.aud === AUDIENCE && Number(read.exp) > clock.now() / SECOND ? deviceIn(read) : undefined
    },
  }
}

type Claims = Partial<Record<'sub' | 'aud' | 'jti' | 'exp' | 'epoch', unknown>>

function deviceIn({ sub, jti, epoch }: Claims): Device | undefined {
  if (typeof sub !== 'string' || typeof jti !== 'string') return undefined
  if (epoch === undefined) return { deviceId: jti, userId: Number(sub) }
  return typeof epoch === 'number' ? { deviceId: jti, userId: Number(sub), epoch } : undefined
}

const HEADER = toBase64Url(utf8(JSON.stringify({ alg: 'HS256', typ: TYPE })))

/** The package takes its secret as text, so the key of the MAC is the hexadecimal text of the data key. */
const macOf = (key: Uint8Array, signed: string): Uint8Array =>
  hmacSha256(utf8(Buffer.from(key).toString('hex')), signed)

async function createSigner(key: Uint8Array) {
  const { jwt } = await import('@elysiajs/jwt')
  return jwt({ name: 'device', secret: Buffer.from(key).toString('hex'), typ: TYPE }).decorator.device
}

type Signer = Awaited<ReturnType<typeof createSigner>>

/**
 * Returns true when `device` comes from a device token of a version before 0.3.0 that is still valid for `user`. A user
 * with the device epoch 0 has no such token.
 */
export const isOfEarlierVersion = (device: Device, user: Pick<User, 'id' | 'deviceEpoch'>): boolean =>
  device.userId === user.id && device.epoch === user.deviceEpoch && user.deviceEpoch !== 0
