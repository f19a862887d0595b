import { KeywardError } from '../../errors.ts'
import { MINUTE, SECOND } from '../../lib/clock.ts'
import { toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import type { Random } from '../../lib/random.ts'
import type { Client } from '../clients/clients.ts'
import type { BrowserSession, Origin } from '../sessions/sessions.ts'
import type { Level } from '../tokens/tokens.ts'
import { grantable } from './authorization-request.ts'
import { beginSession, finish } from './begin-session.ts'
import { recordConsent } from './consents.ts'
import * as store from './device.store.ts'
import { type ClientGrant, makeGrant } from './grant.ts'
import { countedUser, isStrongEnough, mayUse } from './may-use.ts'
import type { OpenIdNeeds } from './openid.ts'
import { readScope } from './scopes.ts'

export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** The least seconds between two polls, and by how many `slow_down` raises them (RFC 8628 section 3.5). */
const INTERVAL_SECONDS = 5

/** What a device shows to its user (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  deviceCode: string
  /** Eight letters with a hyphen in the middle. */
  userCode: string
  expiresInSeconds: number
  intervalSeconds: number
}

/** A waiting device, as the page shows it to the user who typed its code. */
export interface WaitingDevice {
  client: Client
  /** The level that the browser session does not have, and that the client requires; undefined when it is met. */
  missingLevel: Level | undefined
  scope: string
  ip: string
  createdAt: number
}

/** Consonants only: no code is a word, and none is mistaken for a digit. */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'

/** See `OpenId.startDevice`. */
export async function startDevice(
  needs: OpenIdNeeds,
  client: Client,
  {
    scope,
    resource,
    ip,
    network,
  }: { scope: string | undefined; resource: string | undefined; ip: string; network: string },
): Promise<DeviceAuthorization> {
  const { store: db, clock, random, limits, secrets, lifetimes } = needs
  if (!client.grantTypes.includes(DEVICE_CODE_GRANT)) throw new KeywardError('unauthorized_client')
  const granted = grantable(readScope(scope ?? '') ?? [], client)
  if (granted.length === 0) throw new KeywardError('invalid_scope')
  if (resource !== undefined && !client.resources.includes(resource)) throw new KeywardError('invalid_target')
  const place = await limits.reserve([{ rule: 'device.start', key: network }], { ip })
  place.keep()
  const [key] = secrets.macKeys('device_code')
  const now = clock.now()
  const deviceCode = `kwv_${toBase64Url(random.bytes(32))}`
  for (;;) {
    const userCode = drawCode(random)
    const isStored = await store.insert(db, {
      mac: macOf(key, deviceCode),
      userCodeMac: macOf(key, userCode),
      clientId: client.id,
      scope: granted.join(' '),
      resources: JSON.stringify(resource === undefined ? [] : [resource]),
      ip,
      createdAt: now,
      expiresAt: now + lifetimes.deviceCodeMinutes * MINUTE,
      interval: INTERVAL_SECONDS * SECOND,
    })
    if (isStored)
      return {
        deviceCode,
        userCode: `${userCode.slice(0, 4)}-${userCode.slice(4)}`,
        expiresInSeconds: (lifetimes.deviceCodeMinutes * MINUTE) / SECOND,
        intervalSeconds: INTERVAL_SECONDS,
      }
  }
}

/** See `OpenId.findDevice`. */
export async function findDevice(
  needs: OpenIdNeeds,
  typed: string,
  { browser, ip, network }: { browser: BrowserSession; ip: string; network: string },
): Promise<WaitingDevice> {
  const { store: db, clock, clients, limits } = needs
  const userId = browser.user.id
  // The place is taken before the outcome is known, so that parallel guesses all count.
  await using places = await limits.reserve(
    [
      { rule: 'device.user_code', key: browser.id },
      { rule: 'device.network', key: network },
    ],
    { userId, ip },
  )
  const userCodeMacs = macsOfUserCode(needs, typed)
  const bound =
    userCodeMacs && (await store.bind(db, { userCodeMacs, browserSessionId: browser.id, userId, now: clock.now() }))
  const client = bound && (await clients.find(bound.clientId))
  if (!bound || !client || !mayUse(client, browser.user)) {
    places.keep()
    throw new KeywardError('invalid_or_expired')
  }
  await places.giveBack()
  // A role that the client requires may count only with a second factor.
  const isWithheld = !mayUse(client, await countedUser(needs, browser.user, browser.amr))
  const required = isStrongEnough(client, browser.amr) ? undefined : (client.requiredAcr ?? undefined)
  const missingLevel = required ?? (isWithheld ? ('aal2' as const) : undefined)
  return { client, missingLevel, scope: bound.scope, ip: bound.ip, createdAt: bound.createdAt }
}

/** See `OpenId.decideDevice`. */
export async function decideDevice(
  needs: OpenIdNeeds,
  typed: string,
  { browser, isAllowed, ip }: { browser: BrowserSession; isAllowed: boolean; ip: string },
): Promise<void> {
  const { store: db, clock, clients, audit } = needs
  const userId = browser.user.id
  const about = { userId, sessionId: browser.id, ip }
  const userCodeMacs = macsOfUserCode(needs, typed)
  const state = isAllowed ? 'approved' : 'denied'
  const decided = await db.transaction(
    async () => {
      const device =
        userCodeMacs &&
        (await store.decide(db, { userCodeMacs, browserSessionId: browser.id, state, now: clock.now() }))
      if (!device) return undefined
      await audit.record({ ...about, event: `device.${state}`, details: { client_id: device.clientId } })
      return device
    },
    { userId },
  )
  const client = decided && (await clients.find(decided.clientId))
  if (!client) throw new KeywardError('invalid_or_expired')
  if (isAllowed) await recordConsent(needs, { client, scope: decided.scope }, about, true)
}

/** See `OpenId.pollDevice`. */
export async function pollDevice(
  needs: OpenIdNeeds,
  client: Client,
  deviceCode: string,
  origin: Origin,
): Promise<ClientGrant> {
  const { store: db, clock } = needs
  if (!client.grantTypes.includes(DEVICE_CODE_GRANT)) throw new KeywardError('unauthorized_client')
  const now = clock.now()
  const device = await pollOnce(needs, client, deviceCode)
  if (device.state === 'denied') throw new KeywardError('access_denied')
  if (device.state === 'used') throw gone()
  if (device.expiresAt <= now) throw new KeywardError('expired_token')
  const { userId, browserSessionId } = device
  if (device.state === 'pending' || userId === null || browserSessionId === null)
    throw new KeywardError('authorization_pending')
  const begun = await db.transaction(
    async () => {
      if (!(await store.use(db, device.mac))) return undefined
      return beginSession(needs, { client, code: { ...device, userId, browserSessionId }, origin, isAlone: true })
    },
    { userId },
  )
  if (!begun) throw gone()
  return makeGrant(needs, client, finish(needs, begun))
}

async function pollOnce(needs: OpenIdNeeds, client: Client, deviceCode: string): Promise<store.StoredDevice> {
  const { store: db, clock, secrets } = needs
  if (!/^kwv_[A-Za-z0-9_-]{43}$/.test(deviceCode)) throw gone()
  for (const key of secrets.macKeys('device_code')) {
    const poll = { mac: macOf(key, deviceCode), clientId: client.id, now: clock.now() }
    const device = await store.poll(db, poll)
    if (device) return device
    if (await store.slowDown(db, { ...poll, by: INTERVAL_SECONDS * SECOND })) throw new KeywardError('slow_down')
  }
  throw gone()
}

const gone = () =>
  new KeywardError('invalid_grant', { sentence: 'The device code is not valid, was used or has expired' })

const macOf = (key: Uint8Array, code: string): string => toBase64Url(hmacSha256(key, code))

/** People may type the code in any case, with spaces and hyphens. @returns undefined for a text that is no code */
function macsOfUserCode({ secrets }: OpenIdNeeds, typed: string): string[] | undefined {
  const code = typed.toUpperCase().replace(/[\s-]/g, '')
  const isCode = code.length === 8 && [...code].every((letter) => LETTERS.includes(letter))
  return isCode ? secrets.macKeys('device_code').map((key) => macOf(key, code)) : undefined
}

/** Eight letters, each equally likely: a byte above the last multiple of 20 is drawn again. */
function drawCode(random: Random): string {
  let code = ''
  while (code.length < 8)
    for (const byte of random.bytes(16)) if (byte < 240 && code.length < 8) code += LETTERS[byte % LETTERS.length]
  return code
}
