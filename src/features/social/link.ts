import { KeywardError } from '../../errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import type { Audit } from '../audit/audit.ts'
import type { Mails } from '../mail/mail.ts'
import type { Begun, NewLink, NewLogin, Sessions } from '../sessions/sessions.ts'
import type { User, Users } from '../users/users.ts'
import * as store from './identities.store.ts'
import type { Identity, LinkedIdentity } from './identity.ts'
import type { Provider } from './provider.ts'

export interface LinkNeeds {
  store: Store
  clock: Clock
  audit: Audit
  users: Users
  sessions: Pick<Sessions, 'begin' | 'readDevice' | 'findDevice'>
  mails: Pick<Mails, 'isOn' | 'ask' | 'notify'>
}

/** The request of a browser in which somebody signs in. */
export interface SignInVisit {
  origin: NewLogin['origin']
  /** The client's network, for limits and the hash gate. */
  client: string
  browser: NonNullable<NewLogin['browser']>
  /** The device token of an earlier login in this browser. */
  deviceToken?: string | undefined
}

/** The authentication methods of a login with an identity: `fed` is what others use; RFC 8176 has no word for it. */
export const AMR = 'fed'

/**
 * Signs in the user of a known identity, whatever the addresses say.
 * @throws KeywardError `invalid_credentials` when the user is inactive
 */
export async function signInKnown(needs: LinkNeeds, known: LinkedIdentity, visit: SignInVisit): Promise<Begun> {
  const { store: db, clock, audit, users } = needs
  const user = await users.find(known.userId)
  if (!user) throw new KeywardError('invalid_credentials')
  try {
    const device = await knownDevice(needs, user, visit)
    return await db.transaction(
      async () => {
        const begun = await begin(needs, user, visit, { amr: [AMR], device })
        await store.touch(db, { id: known.id, now: clock.now() })
        return begun
      },
      { userId: user.id },
    )
  } catch (error) {
    if (error instanceof KeywardError && error.code === 'invalid_credentials')
      await audit.record({ event: 'login.failed', userId: user.id, ip: visit.origin.ip })
    throw error
  }
}

/** Thrown in a transaction when the user is not as the rule saw the user: the rule is applied again. */
export class Changed extends Error {}

/** How an identity gets linked: what else was proved, and what the transaction has to look at again. */
export interface Linking {
  provider: Provider
  identity: Identity
  /** The user, as the rule saw the user. */
  user: User
  /** Further authentication methods, such as `pwd`. */
  amr: readonly string[]
  /**
   * Runs in the transaction, with the user as stored now and locked. Throws `Changed` when the rule would say something
   * else for this user. May change the user.
   */
  recheck: (present: User) => Promise<unknown>
}

/**
 * Links an identity with a user who proved the account, and signs the user in, in one transaction. With a second
 * factor, both wait until it was shown.
 * @throws KeywardError `invalid_credentials` when the user became inactive, or all sessions were ended meanwhile;
 *   `identity_taken`
 * @throws Changed
 */
export async function linkAndSignIn(needs: LinkNeeds, linking: Linking, visit: SignInVisit): Promise<Begun> {
  const { store: db, users } = needs
  const { user, amr, recheck } = linking
  const device = await knownDevice(needs, user, visit)
  return db.transaction(
    async () => {
      if (!(await users.holdForSession({ id: user.id, epoch: user.sessionEpoch })))
        throw new KeywardError('invalid_credentials')
      const before = await users.find(user.id)
      if (!before) throw new KeywardError('invalid_credentials')
      await recheck(before)
      // `recheck` may have raised the epoch and forgotten the devices.
      const present = (await users.find(user.id))!
      const isSame = present.sessionEpoch === before.sessionEpoch
      const link = linkOf(linking.provider, linking.identity)
      return begin(needs, present, visit, { amr: [AMR, ...amr], device: isSame ? device : undefined, link })
    },
    { userId: user.id },
  )
}

/**
 * Adds a link in the current transaction, in which the user's row is locked; does nothing when it exists.
 * @throws KeywardError `identity_taken` when the identity is linked with another user, or the user has another identity
 *   of this provider
 */
async function addLink(
  { store: db, clock, audit, mails }: Pick<LinkNeeds, 'store' | 'clock' | 'audit' | 'mails'>,
  { provider, label, issuer, subject, email, userId, ip }: Linked,
): Promise<void> {
  const now = clock.now()
  const row = { userId, provider, issuer, subject, email, createdAt: now, lastUsedAt: now }
  if (await store.insert(db, row)) {
    await audit.record({ event: 'identity.linked', userId, ip, details: { provider } })
    await mails.notify('identity_linked', userId, { ip, provider: label })
    return
  }
  const known = await store.find(db, { issuer, subject })
  if (known?.userId === userId) return
  if (known) throw new KeywardError('identity_taken')
  throw new KeywardError('identity_taken', {
    sentence: 'Your account is linked with another account of this provider: unlink that first',
  })
}

/** Adds the links of logins; see `NewLogin.link`. */
export const createLinks = (needs: Pick<LinkNeeds, 'store' | 'clock' | 'audit' | 'mails'>) => ({
  add: (link: Linked) => addLink(needs, link),
})

type Linked = NewLink & { userId: number; ip: string }

const linkOf = ({ name, label }: Provider, { issuer, subject, email }: Identity): NewLink => ({
  provider: name,
  label,
  issuer,
  subject,
  email: email ?? null,
})

/** Links an identity with a user who is signed in and has pressed "link". Never touches the address of the user. */
export async function linkOwn(
  needs: LinkNeeds,
  { provider, identity, user, ip }: { provider: Provider; identity: Identity; user: User; ip: string },
): Promise<void> {
  const { store: db, audit, users, mails } = needs
  try {
    await db.transaction(
      async () => {
        if (!(await users.holdForSession({ id: user.id, epoch: user.sessionEpoch })))
          throw new KeywardError('invalid_token')
        await addLink(needs, { ...linkOf(provider, identity), userId: user.id, ip })
      },
      { userId: user.id },
    )
  } catch (error) {
    if (!(error instanceof KeywardError) || error.code !== 'identity_taken') throw error
    const other = await store.find(db, identity)
    await db.transaction(async () => {
      const details = { provider: provider.name, reason: 'identity_taken' }
      await audit.record({ event: 'identity.refused', userId: user.id, ip, details })
      if (!other) return
      for (const id of [user.id, other.userId]) await mails.notify('identity_taken', id, { provider: provider.label })
    })
    throw error
  }
}

/** The known device of the device token that came with the request. */
export async function knownDevice(
  { sessions }: Pick<LinkNeeds, 'sessions'>,
  user: User,
  { deviceToken }: Pick<SignInVisit, 'deviceToken'>,
): Promise<NewLogin['device']> {
  const token = deviceToken === undefined ? undefined : await sessions.readDevice(deviceToken)
  return token && sessions.findDevice(token, user)
}

export const begin = (
  { sessions }: Pick<LinkNeeds, 'sessions'>,
  user: User,
  { origin, browser }: SignInVisit,
  { amr, device, link }: { amr: readonly string[]; device: NewLogin['device']; link?: NewLink },
): Promise<Begun> => sessions.begin({ user, amr, origin, browser, ...(device && { device }), ...(link && { link }) })
