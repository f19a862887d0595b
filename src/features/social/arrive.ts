import { invalidField, KeywardError } from '../../errors.ts'
import type { Locale } from '../../lib/locale.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Proofs } from '../proofs/proofs.ts'
import type { Begun } from '../sessions/sessions.ts'
import { invalidEmail, normalizeEmail, trimTyped, type User } from '../users/users.ts'
import type { Verification } from '../verification/verification.ts'
import * as store from './identities.store.ts'
import type { Identity } from './identity.ts'
import { AMR, begin, Changed, type LinkNeeds, linkAndSignIn, type SignInVisit, signInKnown } from './link.ts'
import type { Provider } from './provider.ts'
import { requireEnabled } from './providers.ts'
import { mayEnter, type Pending, type RuleNeeds, type Ways, waysFor } from './rule.ts'

export interface ArriveNeeds extends LinkNeeds, RuleNeeds {
  mails: LinkNeeds['mails']
  proofs: Pick<Proofs, 'checkCode' | 'redeem'>
  accounts: Pick<Accounts, 'registerProved' | 'checkPassword'>
  verification: Pick<Verification, 'takeOver'>
}

/** What comes next in a sign-in: the end, or one of three pages. */
export type Arrival =
  | { step: 'done'; begun: Begun }
  | { step: 'address'; pending: Pending }
  | { step: 'code'; pending: Pending }
  | { step: 'ask'; pending: Pending; user: User; ways: Ways }

export interface ArrivalVisit extends SignInVisit {
  locale: Locale | undefined
}

/** How often the rule is applied again when another request has changed the user meanwhile. */
const TRIES = 5

/** Implements `Social.arrive`. */
export async function arrive(needs: ArriveNeeds, identity: Identity, visit: ArrivalVisit): Promise<Arrival> {
  const proof = identity.email !== undefined && identity.isEmailProved ? 'provider' : 'none'
  return proceed(needs, { identity, address: identity.email, proof, challengeId: undefined }, visit)
}

/** Applies the rule to a sign-in, with the users and the links as they are now. */
async function proceed(needs: ArriveNeeds, pending: Pending, visit: ArrivalVisit): Promise<Arrival> {
  for (let attempt = 1; ; attempt++)
    try {
      return await apply(needs, pending, visit)
    } catch (error) {
      // Another request with this identity, or with this address, was faster.
      const isRace = error instanceof Changed || (error instanceof KeywardError && raced.includes(error.code))
      if (!isRace || attempt === TRIES) throw error instanceof Changed ? new KeywardError('invalid_credentials') : error
    }
}

const raced: readonly string[] = ['email_taken', 'identity_taken']

async function apply(needs: ArriveNeeds, pending: Pending, visit: ArrivalVisit): Promise<Arrival> {
  const { identity, address, proof } = pending
  const provider = await requireEnabled(needs, identity.provider)
  const known = await store.find(needs.store, identity)
  if (known) return { step: 'done', begun: await signInKnown(needs, known, visit) }
  if (address === undefined) return { step: 'address', pending }
  if (proof === 'none') return sendCode(needs, provider, pending, visit)
  const user = await needs.users.findByName(address)
  if (!user) return { step: 'done', begun: await register(needs, provider, { ...pending, address }, visit) }
  if (!mayEnter(user)) {
    const details = { provider: provider.name, reason: 'inactive' }
    await needs.audit.record({ event: 'identity.refused', userId: user.id, ip: visit.origin.ip, details })
  }
  const ways = await waysFor(needs, { provider, pending, user })
  if (ways !== 'none') return { step: 'ask', pending, user, ways }
  const recheck = async (present: User) => {
    if ((await waysFor(needs, { provider, pending, user: present })) !== 'none') throw new Changed()
  }
  return { step: 'done', begun: await linkAndSignIn(needs, { provider, identity, user, amr: [], recheck }, visit) }
}

/**
 * Mails a code to an address. The page that follows is the same for every address: it must not tell who has an account.
 * @throws KeywardError `email_unverified` when this server cannot send mail, for every address
 */
async function sendCode(
  { mails }: ArriveNeeds,
  provider: Provider,
  pending: Pending,
  { client, locale, origin: { ip } }: ArrivalVisit,
): Promise<Arrival> {
  if (!mails.isOn) throw new KeywardError('email_unverified')
  const email = pending.address!
  const challengeId = await mails.ask({ kind: 'link_identity', email, locale, client, ip, provider: provider.label })
  return { step: 'code', pending: { ...pending, challengeId } }
}

/** Makes an account for an identity whose address is proved, and signs in, in one transaction. */
async function register(
  needs: ArriveNeeds,
  provider: Provider,
  { identity, address }: Pending & { address: string },
  visit: ArrivalVisit,
): Promise<Begun> {
  const { accounts, users, mails } = needs
  if (!provider.signsUp) throw new KeywardError('registration_closed')
  const { ip } = visit.origin
  let begun: Begun | undefined
  const registration = { email: address, wish: identity.username, name: identity.name ?? null, ip }
  await accounts.registerProved({ ...registration, locale: visit.locale ?? null }, async ({ id }) => {
    const { email = null, issuer, subject } = identity
    const now = needs.clock.now()
    const row = { userId: id, provider: provider.name, issuer, subject, email, createdAt: now, lastUsedAt: now }
    if (!(await store.insert(needs.store, row))) throw new KeywardError('identity_taken')
    await needs.audit.record({ event: 'identity.linked', userId: id, ip, details: { provider: provider.name } })
    await mails.notify('identity_account', id, { ip, provider: provider.label })
    begun = await begin(needs, (await users.find(id))!, visit, { amr: [AMR], device: undefined })
  })
  return begun!
}

/** Implements `Social.giveAddress`. @throws KeywardError `validation_failed` */
export async function giveAddress(
  needs: ArriveNeeds,
  pending: Pending,
  typed: string,
  visit: ArrivalVisit,
): Promise<Arrival> {
  const address = normalizeEmail(trimTyped(typed))
  if (!address) throw invalidField('email', invalidEmail)
  return proceed(needs, { ...pending, address: address.email, proof: 'none', challengeId: undefined }, visit)
}

/** Implements `Social.askCode`: the person on the page *Ask* wants a code instead of typing the password. */
export async function askCode(needs: ArriveNeeds, pending: Pending, visit: ArrivalVisit): Promise<Arrival> {
  const provider = await requireEnabled(needs, pending.identity.provider)
  if (pending.address === undefined) return { step: 'address', pending }
  return sendCode(needs, provider, pending, visit)
}

/** Implements `Social.enterCode`. */
export async function enterCode(
  needs: ArriveNeeds,
  pending: Pending,
  code: string,
  visit: ArrivalVisit,
): Promise<Arrival> {
  const { store: db, proofs } = needs
  const { address, challengeId } = pending
  const { ip } = visit.origin
  if (challengeId === undefined || address === undefined) throw new KeywardError('invalid_or_expired')
  const proof = await proofs.checkCode('link_identity', { id: challengeId, code: trimTyped(code) }, { ip })
  if (proof?.addressKey !== address.toLowerCase()) throw new KeywardError('invalid_or_expired')
  const isRedeemed = await db.transaction(async () => (await proofs.redeem(proof)) !== undefined)
  if (!isRedeemed) throw new KeywardError('invalid_or_expired')
  return proceed(needs, { ...pending, proof: 'code', challengeId: undefined }, visit)
}

/** Implements `Social.confirmByPassword`. */
export async function confirmByPassword(
  needs: ArriveNeeds,
  pending: Pending,
  password: string,
  visit: ArrivalVisit,
): Promise<Arrival> {
  const { users, accounts, audit } = needs
  const { client, origin } = visit
  const found = await findAsked(needs, pending)
  if (!found) return proceed(needs, pending, visit)
  const { provider, user } = found
  await accounts.checkPassword({ user }, { password, client, ip: origin.ip })
  const recheck = async (present: User) => {
    const ways = await waysFor(needs, { provider, pending, user: present })
    if (ways !== 'none' && !ways.password) throw new Changed()
    if (await users.setEmailVerified(user.id))
      await audit.record({ event: 'email.verified', userId: user.id, ip: origin.ip })
  }
  const linking = { provider, identity: pending.identity, user, amr: ['pwd'], recheck }
  return orAgain(needs, pending, visit, () => linkAndSignIn(needs, linking, visit))
}

/** Implements `Social.startOver`. */
export async function startOver(needs: ArriveNeeds, pending: Pending, visit: ArrivalVisit): Promise<Arrival> {
  const { verification } = needs
  const found = await findAsked(needs, pending)
  if (!found?.ways.startOver) return proceed(needs, pending, visit)
  const { provider, user } = found
  const recheck = async (present: User) => {
    const ways = await waysFor(needs, { provider, pending, user: present })
    if (ways === 'none' || !ways.startOver) throw new Changed()
    if (!(await verification.takeOver({ userId: user.id, ip: visit.origin.ip }))) throw new Changed()
  }
  const linking = { provider, identity: pending.identity, user, amr: [], recheck }
  return orAgain(needs, pending, visit, () => linkAndSignIn(needs, linking, visit))
}

/** Finds the account that the page *Ask* is about, if the rule still asks. */
async function findAsked(
  needs: ArriveNeeds,
  pending: Pending,
): Promise<{ provider: Provider; user: User; ways: Ways } | undefined> {
  const { identity, address, proof } = pending
  const provider = await requireEnabled(needs, identity.provider)
  if (proof === 'none' || address === undefined || (await store.find(needs.store, identity))) return undefined
  const user = await needs.users.findByName(address)
  const ways = user && (await waysFor(needs, { provider, pending, user }))
  return user && ways && ways !== 'none' ? { provider, user, ways } : undefined
}

async function orAgain(
  needs: ArriveNeeds,
  pending: Pending,
  visit: ArrivalVisit,
  link: () => Promise<Begun>,
): Promise<Arrival> {
  try {
    return { step: 'done', begun: await link() }
  } catch (error) {
    if (error instanceof Changed) return proceed(needs, pending, visit)
    throw error
  }
}
