import type { Arrival, Identity, LinkMode, Pending } from '../../src/features/social/social.ts'
import type { TestApp } from '../support/app.ts'
import type { SmtpSink } from '../support/smtp.ts'
import { codeIn } from '../verification/support.ts'

export const password = 'correct horse battery'

/** The states of the local user with the address of an identity. */
export const locals = [
  'none',
  'unverified',
  'verified',
  'admin',
  'unverified admin',
  'inactive',
  'invited',
  'with a factor',
  'unverified with a factor',
] as const
export type Local = (typeof locals)[number]

/** Makes the local user of a cell of the rule. @returns the id; undefined for `none` */
export async function makeLocal(app: TestApp, local: Local, name: string): Promise<number | undefined> {
  if (local === 'none') return undefined
  const names = { email: `${name}@example.com`, username: name }
  const { id } = await app.admin.createUser(local === 'invited' ? names : { ...names, password })
  if (local.includes('admin')) await app.admin.giveRole(id, 'admin')
  if (local === 'verified' || local === 'admin' || local === 'inactive' || local === 'with a factor')
    await app.rows.users.change({ id }, { emailVerifiedAt: 1 })
  if (local === 'inactive') await app.admin.deactivate(id)
  if (local.includes('factor')) await app.factors.addApp(id)
  return id
}

export const addProvider = (app: TestApp, name: string, link: LinkMode = 'ask') =>
  app.admin.addProvider({ name, kind: 'github', label: `The ${name}`, clientId: 'x', clientSecret: 'y', link })

/** An identity as a provider tells it. */
export const identityOf = (name: string, more: Partial<Identity> = {}): Identity => ({
  provider: 'hub',
  issuer: 'https://hub.example',
  subject: `subject-of-${name}`,
  email: `${name}@example.com`,
  isEmailProved: true,
  username: `${name}-there`,
  name: `Name of ${name}`,
  ...more,
})

export const visit = {
  origin: { ip: '192.0.2.7', userAgent: 'Firefox' },
  client: '192.0.2.7',
  browser: { isRemembered: false },
  locale: undefined,
} as const

/** What an arrival shows: `done USER`, `factor of USER` when the second factor is due, the page and the ways, or the code of the refusal. */
export async function outcome(arriving: Promise<Arrival>): Promise<string> {
  try {
    const arrival = await arriving
    if (arrival.step === 'done')
      return `${'due' in arrival.begun ? 'factor of' : 'done'} ${arrival.begun.user.username}`
    if (arrival.step !== 'ask') return arrival.step
    const ways = Object.entries(arrival.ways).flatMap(([way, isOpen]) => (isOpen ? [way] : []))
    return ['ask', ...ways].join(' ')
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** The state of a sign-in that has not ended. */
export async function pendingOf(arriving: Promise<Arrival>): Promise<Pending> {
  const arrival = await arriving
  if (arrival.step === 'done') throw new Error('the sign-in has ended')
  return arrival.pending
}

/** Sends the mails that are due. @returns the code of the newest mail to the address; undefined without one */
export async function codeFor(app: TestApp, sink: SmtpSink, address: string): Promise<string | undefined> {
  await app.process.deliverMail()
  const mail = sink.received.findLast(({ to }) => to.includes(address))
  return mail && codeIn(mail)
}
