import { rfc3339 } from '../../lib/clock.ts'
import { accountWrite } from '../limits/limits.ts'
import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccountsNeeds } from './accounts.ts'
import { type FreshProof, requireFresh } from './fresh.ts'

/** The number of rows per query for sessions and audit events, of which one user may have very many. */
const PAGE = 500

/**
 * Reads all that is stored about the caller, as the parts of a JSON text. The parts are made while they are read,
 * because the sessions and audit events of one user may be too many for the memory.
 */
export async function exportOwn(
  needs: AccountsNeeds,
  caller: SessionCaller,
  proof: FreshProof,
): Promise<AsyncGenerator<string>> {
  await requireFresh(needs, caller, proof)
  const { userId, sessionId } = caller
  const { clock, limits, audit, users, roles, apiKeys, identities, factors, applications, mails, proofs } = needs
  const { sessions } = needs
  await using place = await limits.reserve([accountWrite(userId)], { userId, ip: proof.ip })
  await audit.record({ event: 'user.exported', userId, sessionId, ip: proof.ip })
  place.keep()
  // The small parts are read before the answer begins, so that a failure is still answered with its error.
  const { user, formerUsernames, formerAddresses } = await users.exportOf(userId)
  const small = {
    exportedAt: clock.now(),
    user,
    formerUsernames,
    formerAddresses,
    roles: await roles.exportOf(userId),
    devices: await sessions.exportDevices(userId),
    apiKeys: await apiKeys.exportOf(userId),
    identities: await identities.exportOf(userId),
    ...(await factors.exportOf(userId)),
    ...(await applications.exportOf(userId)),
    mails: await mails.exportOf(userId),
    proofs: await proofs.exportOf(userId),
  }
  return parts(small, {
    sessions: pages('', (after) => sessions.exportPage({ userId, after, limit: PAGE })),
    auditEvents: pages(Number.MAX_SAFE_INTEGER, (before) => audit.list({ userId, before, limit: PAGE })),
  })
}

/** Reads page after page. `read` gets the id of the last row of the previous page; the first call gets `first`. */
async function* pages<Id>(
  first: Id,
  read: (from: Id) => Promise<({ id: Id } & object)[]>,
): AsyncGenerator<readonly object[]> {
  for (let from = first; ; ) {
    const rows = await read(from)
    yield rows
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    from = last.id
  }
}

async function* parts(small: object, large: Record<string, AsyncGenerator<readonly object[]>>): AsyncGenerator<string> {
  yield JSON.stringify(toWire(small)).slice(0, -1)
  for (const [name, rows] of Object.entries(large)) {
    yield `,${JSON.stringify(toSnakeCase(name))}:[`
    let separator = ''
    for await (const page of rows) {
      if (page.length === 0) continue
      yield separator + page.map((row) => JSON.stringify(toWire(row))).join(',')
      separator = ','
    }
    yield ']'
  }
  yield '}'
}

/** Writes the names of members in snake_case, times as RFC 3339, and stored JSON as JSON. */
function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (typeof member === 'number' && isTime.test(name)) return [toSnakeCase(name), rfc3339(member)]
      if (typeof member === 'string' && name === 'details') return [name, JSON.parse(member)]
      return [toSnakeCase(name), toWire(member)]
    }),
  )
}

/** Matches the names of members whose numbers are times, such as `createdAt`. */
const isTime = /^at$|(?:At|Time|Until)$/

const toSnakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
