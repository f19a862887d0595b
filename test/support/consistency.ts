import { expect } from 'bun:test'
import { openUrl, type TestStorage } from '../storage/support.ts'

/** States that no kill may leave behind: each query lists rows without the rows that are written together with them. */
const halves: Record<string, string> = {
  'users without a password': `SELECT id FROM users WHERE password_hash IS NULL OR password_scheme IS NULL`,
  'users whose registration was not noted': `
    SELECT id FROM users EXCEPT SELECT user_id FROM audit_events WHERE event = 'user.registered'`,
  'registrations that were audited without a user': `
    SELECT user_id FROM audit_events WHERE event = 'user.registered' EXCEPT SELECT id FROM users`,
  'sessions without a user': `SELECT user_id FROM sessions EXCEPT SELECT id FROM users`,
  'sessions whose login was not audited': `
    SELECT id FROM sessions EXCEPT SELECT session_id FROM audit_events WHERE event = 'login.succeeded'`,
  'logins that were audited without a session': `
    SELECT session_id FROM audit_events WHERE event = 'login.succeeded' EXCEPT SELECT id FROM sessions`,
  'logouts that were not audited': `
    SELECT id FROM sessions WHERE end_reason = 'logout'
    EXCEPT SELECT session_id FROM audit_events WHERE event = 'session.ended'`,
  'logouts that were audited but ended no session': `
    SELECT session_id FROM audit_events WHERE event = 'session.ended'
    EXCEPT SELECT id FROM sessions WHERE ended_at IS NOT NULL`,
  'changes of password that raised no epoch, or the other way round': `
    SELECT id FROM users WHERE session_epoch <>
    (SELECT count(*) FROM audit_events WHERE event = 'password.changed' AND user_id = users.id)`,
  'sessions that are alive with another epoch': `
    SELECT sessions.id FROM sessions JOIN users ON users.id = user_id WHERE ended_at IS NULL AND epoch <> session_epoch`,
  'roles without a user': `SELECT user_id FROM user_roles EXCEPT SELECT id FROM users`,
  'keys that sign at the same time': `SELECT count(*) FROM signing_keys WHERE state = 'active' HAVING count(*) <> 1`,
}

export interface Inspector {
  /** Reads the database while it is served, and returns its accounts. */
  expectConsistent(): Promise<Map<number, string>>
  /** PostgreSQL continues the statements of a killed client for a moment; SQLite ended with its process. */
  untilAbandoned(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens SQLite's file for each check and closes it again: while anybody has it open, a server that starts after a kill
 * finds the shared memory of the log unchanged and need not recover it.
 */
export function inspectDatabase(databaseUrl: string): Inspector {
  const open = () => openUrl(databaseUrl, { inspect: true, poolSize: 1 })
  if (!databaseUrl.startsWith('sqlite:')) {
    const opened = open()
    return {
      expectConsistent: async () => inspect(await opened),
      async untilAbandoned() {
        const { rows } = await opened
        while ((await rows(OTHERS)).length > 0) await Bun.sleep(5)
      },
      close: async () => (await opened).close(),
    }
  }
  return {
    async expectConsistent() {
      const storage = await open()
      try {
        expect(await storage.rows('PRAGMA integrity_check')).toEqual([['ok']])
        expect(await storage.rows('PRAGMA foreign_key_check')).toEqual([])
        return await inspect(storage)
      } finally {
        await storage.close()
      }
    },
    untilAbandoned: async () => {},
    close: async () => {},
  }
}

const OTHERS = `
  SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`

async function inspect({ rows }: Pick<TestStorage, 'rows'>): Promise<Map<number, string>> {
  const found: Record<string, unknown[][]> = {}
  for (const [name, sql] of Object.entries(halves)) {
    const left = await rows(sql)
    if (left.length > 0) found[name] = left
  }
  expect(found).toEqual({})
  return new Map((await rows('SELECT id, username FROM users')).map(([id, name]) => [Number(id), String(name)]))
}
