import { openScratch, type ScratchDatabase } from '../../storage/scratch-database.ts'
import type { Reading } from './read-account.ts'

/** What becomes of an account: it is imported, was imported before, or has a problem. */
export type State = 'new' | 'present' | 'problem'

/** An account with its place in the source. */
export interface Entry {
  reading: Reading
  /** The username to show in a report; undefined for none. */
  shown: string | undefined
  state: State
  /** Sentences that come after those about twins in a report. */
  conflicts: readonly string[]
  isPrivileged: boolean
}

/** An account that cannot be imported. */
export interface Problem extends Pick<Reading, 'sourceId' | 'line' | 'reasons'> {
  /** The username in a file; undefined for an account of a database, and for one without a username. */
  username: string | undefined
}

export interface Totals {
  /** The number of accounts to import, and of those among them that are inactive or have rights elsewhere. */
  accounts: number
  inactive: number
  privileged: number
  /** The number of accounts to import without an id; the database assigns one. */
  withoutId: number
  /** The highest id to import; 0 when no account has one. */
  highestId: number
  present: number
  problems: number
  /** The number of roles to grant. */
  roles: number
  /** The number of authenticator apps, and of passkeys and security keys, to import. */
  apps: number
  passkeys: number
}

/** Keeps one line about each account of a source, on disk: its keys and what becomes of it, not its password hash. */
export interface Ledger {
  add(entry: Entry): void
  /**
   * Makes a problem of each new account that has the id, the address or the username of another account of the source.
   * Call it once, after the last `add`.
   */
  findTwins(describe: (twin: Pick<Reading, 'sourceId' | 'line'>) => string): void
  totals(): Totals
  problems(): Iterable<Problem>
  /** The numbers of the accounts that are not imported, from 0 and ascending, as `add` was called. */
  passedOver(): IterableIterator<number>
  close(): void
}

const states: readonly State[] = ['new', 'present', 'problem']
/** The rank of a sentence in a report. */
const [ofReading, ofConflicts] = [0, 9]

/** The keys of an account, each with the sentence about another account that has it too. */
const keys: readonly { column: string; sentence: (twin: string) => string }[] = [
  { column: 'id', sentence: () => 'another account has the same id' },
  { column: 'external_id', sentence: () => 'another account has the same id' },
  { column: 'email_key', sentence: (twin) => `${twin} has the same email address, ignoring case` },
  { column: 'username_key', sentence: (twin) => `${twin} has the same username, ignoring case and letter forms` },
]

export function openLedger(): Ledger {
  const db = openScratch()
  db.run(`CREATE TEMP TABLE entries (at INTEGER PRIMARY KEY, state INTEGER NOT NULL, source_id TEXT NOT NULL, line INTEGER,
    shown TEXT, id INTEGER, external_id TEXT, email_key TEXT, username_key TEXT, is_active INTEGER, is_privileged INTEGER, roles INTEGER,
    apps INTEGER, passkeys INTEGER)`)
  db.run('CREATE TEMP TABLE reasons (at INTEGER NOT NULL, rank INTEGER NOT NULL, reason TEXT NOT NULL)')
  db.run('BEGIN')
  const insert = db.prepare('INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const report = db.prepare('INSERT INTO reasons VALUES (?, ?, ?)')
  let count = 0
  return {
    add({ reading, shown, state, conflicts, isPrivileged }) {
      const at = count++
      const { sourceId, line, account, roles, factors, reasons } = reading
      const { id, externalId, emailKey, usernameKey, isActive } = account
      insert.run(
        at,
        states.indexOf(state),
        sourceId,
        line ?? null,
        shown ?? null,
        id ?? null,
        externalId ?? null,
        emailKey ?? null,
        usernameKey ?? null,
        Number(isActive !== false),
        Number(isPrivileged),
        roles.length,
        factors.apps.length,
        factors.passkeys.length,
      )
      if (state !== 'problem') return
      for (const reason of reasons) report.run(at, ofReading, reason)
      for (const reason of conflicts) report.run(at, ofConflicts, reason)
    },
    findTwins: (describe) => findTwins(db, describe),
    totals: () => totalsOf(db),
    *problems() {
      const rows = db.prepare(`SELECT entries.at, source_id, line, shown, reason FROM entries JOIN reasons USING (at)
        WHERE state = 2 ORDER BY entries.at, rank, reasons.rowid`)
      let last: (Problem & { at: unknown }) | undefined
      for (const [at, sourceId, line, shown, reason] of rows.each()) {
        if (last?.at === at) {
          last?.reasons.push(String(reason))
          continue
        }
        if (last) yield last
        last = {
          at,
          sourceId: String(sourceId),
          line: line === null ? undefined : Number(line),
          username: shown === null ? undefined : String(shown),
          reasons: [String(reason)],
        }
      }
      if (last) yield last
    },
    *passedOver() {
      for (const [at] of db.prepare('SELECT at FROM entries WHERE state <> 0 ORDER BY at').each()) yield Number(at)
    },
    close: db.close,
  }
}

function findTwins(db: ScratchDatabase, describe: (twin: Pick<Reading, 'sourceId' | 'line'>) => string): void {
  const report = db.prepare('INSERT INTO reasons VALUES (?, ?, ?)')
  for (const [rank, { column, sentence }] of keys.entries()) {
    const shared = `shared_${column}`
    db.run(`CREATE TEMP TABLE ${shared} AS SELECT ${column} AS key FROM entries WHERE ${column} IS NOT NULL
      GROUP BY ${column} HAVING count(*) > 1`)
    const members = db.prepare(`SELECT ${column}, at, state, source_id, line FROM entries
      WHERE ${column} IN (SELECT key FROM ${shared}) ORDER BY ${column}, at`)
    const tell = ([, at, state]: unknown[], [, , , sourceId, line]: unknown[]) => {
      if (state === states.indexOf('present')) return
      const twin = { sourceId: String(sourceId), line: line === null ? undefined : Number(line) }
      report.run(Number(at), 1 + rank, sentence(describe(twin)))
    }
    let first: unknown[] | undefined
    let isSecond = false
    for (const member of members.each()) {
      if (first && first[0] === member[0]) {
        if (isSecond) tell(first, member)
        tell(member, first)
        isSecond = false
      } else {
        first = member
        isSecond = true
      }
    }
  }
  db.run('UPDATE entries SET state = 2 WHERE state = 0 AND at IN (SELECT at FROM reasons)')
}

function totalsOf(db: ScratchDatabase): Totals {
  const [row = []] = db
    .prepare(`SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 0 AND NOT is_active),
      count(*) FILTER (WHERE state = 0 AND is_privileged), count(*) FILTER (WHERE state = 0 AND id IS NULL),
      coalesce(max(id) FILTER (WHERE state = 0), 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
      coalesce(sum(roles) FILTER (WHERE state = 0), 0), coalesce(sum(apps) FILTER (WHERE state = 0), 0),
      coalesce(sum(passkeys) FILTER (WHERE state = 0), 0)
      FROM entries`)
    .all()
  const [accounts = 0, inactive = 0, privileged = 0, withoutId = 0, highestId = 0, ...others] = row.map(Number)
  const [present = 0, problems = 0, roles = 0, apps = 0, passkeys = 0] = others
  return { accounts, inactive, privileged, withoutId, highestId, present, problems, roles, apps, passkeys }
}
