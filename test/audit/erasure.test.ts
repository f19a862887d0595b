import { expect, test } from 'bun:test'
import { DAY, HOUR, MINUTE } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'
import { watchStatements } from '../support/replace.ts'

/** More than four transactions of the erasure. */
const EVENTS = 2_100

describeEachDialect('the deletion of a user with many events', (dialect) => {
  const apps = appsPerTest()
  let erasures: string[] = []
  let deletions = 0
  let onErase = (): void => {}

  async function open(): Promise<{ app: TestApp; id: number }> {
    erasures = []
    deletions = 0
    onErase = () => {}
    const app = await apps.open({
      dialect,
      replace: {
        store: watchStatements((sql) => {
          if (/^delete from "sessions"/.test(sql)) deletions++
          if (!/^(update "audit_events"|delete from "sessions")/.test(sql)) return
          if (!sql.startsWith('delete')) erasures.push(sql)
          onErase()
        }),
      },
    })
    await app.signUp('bea')
    const { id } = await app.signUp('ada')
    const event = { at: app.clock.now(), event: 'login.failed', userId: id, ip: '198.51.100.7', sessionId: 'x' }
    for (let at = 0; at < EVENTS; at += 700)
      await app.rows.auditEvents.add(...Array.from({ length: 700 }, () => ({ ...event, ipWholeSince: event.at })))
    return { app, id }
  }

  const personal = async (app: TestApp, userId: number) =>
    (await app.rows.auditEvents.all({ userId })).filter(
      ({ ip, ipWholeSince, sessionId }) => ip !== null || ipWholeSince !== null || sessionId !== null,
    ).length

  test('12.A2 is done in short transactions, between which other writes get their turn', async () => {
    const { app, id } = await open()
    let others = 0
    onErase = () => {
      app.record({ event: 'login.failed', userId: 1, ip: '192.0.2.1' }).then(() => others++)
    }
    await app.admin.deleteUser(id)
    expect(erasures.length).toBeGreaterThanOrEqual(5)
    expect(others).toBeGreaterThanOrEqual(erasures.length - 1)
    expect(await personal(app, id)).toBe(0)
    expect(await app.rows.auditEvents.count({ userId: id })).toBeGreaterThan(EVENTS)
    expect(await personal(app, 1)).toBeGreaterThan(0)
  })

  test('12.A2 takes ended sessions in short transactions first, and none when it is refused', async () => {
    const { app, id } = await open()
    const [session] = await app.rows.sessions.all({ userId: id })
    const ended = { ...session!, endedAt: app.clock.now(), endReason: 'logout' }
    for (let at = 0; at < EVENTS; at += 700)
      await app.rows.sessions.add(...Array.from({ length: 700 }, (_, i) => ({ ...ended, id: `s${at + i}` })))
    await app.admin.giveRole(id, 'admin')
    await expect(app.admin.deleteUser(id)).rejects.toMatchObject({ code: 'last_admin' })
    expect(await app.rows.sessions.count({ userId: id })).toBe(EVENTS + 1)
    await app.admin.giveRole(1, 'admin')
    let others = 0
    onErase = () => {
      app.record({ event: 'login.failed', userId: 1, ip: '192.0.2.1' }).then(() => others++)
    }
    await app.admin.deleteUser(id)
    expect(deletions).toBe(5)
    expect(others).toBeGreaterThanOrEqual(deletions + erasures.length - 1)
    expect(await app.rows.sessions.count({ userId: id })).toBe(0)
    expect(await app.rows.sessions.count()).toBe(1)
  })

  test('12.A2 is finished by the clean-up of any process after a crash in the middle', async () => {
    const { app, id } = await open()
    onErase = () => {
      if (erasures.length === 3) throw new Error('killed')
    }
    await expect(app.admin.deleteUser(id)).rejects.toThrow()
    expect(await app.rows.users.all({ id })).toEqual([])
    const left = await personal(app, id)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(EVENTS)

    const other = await apps.open({ databaseUrl: app.databaseUrl, clock: app.clock })
    await other.process.cleanUp()
    expect(await personal(app, id)).toBe(0)
    expect(await app.rows.auditEvents.count({ userId: id, event: 'user.deleted' })).toBe(1)
    expect(await personal(app, 1)).toBeGreaterThan(0)
  })

  test('12.A2 reaches events that are written up to an hour later, and then is forgotten', async () => {
    const { app, id } = await open()
    await app.admin.deleteUser(id)
    await app.clock.advance(30 * MINUTE)
    await app.record({ event: 'login.failed', userId: id, ip: '198.51.100.9' })
    expect(await personal(app, id)).toBe(1)
    await app.process.cleanUp()
    expect(await personal(app, id)).toBe(0)
    expect(await app.rows.auditErasures.count()).toBe(1)
    await app.clock.advance(HOUR)
    await app.process.cleanUp()
    expect(await app.rows.auditErasures.count()).toBe(0)
  })

  if (dialect.name === 'postgresql')
    test('reaches an event that got its id before the deletion and is committed after it', async () => {
      const { app, id } = await open()
      const written = Promise.withResolvers<void>()
      const deleted = Promise.withResolvers<void>()
      const late = app.process.transaction(async () => {
        await app.record({ event: 'login.failed', userId: id, ip: '198.51.100.9', sessionId: 'late' })
        written.resolve()
        await deleted.promise
      })
      await written.promise
      await app.admin.deleteUser(id)
      deleted.resolve()
      await late
      expect(await personal(app, id)).toBe(1)
      await app.clock.advance(HOUR + 1)
      await app.process.cleanUp()
      expect(await personal(app, id)).toBe(0)
      expect(await app.rows.auditErasures.count()).toBe(0)
    })

  if (dialect.name === 'postgresql')
    test('is not undone by a clean-up that read whole addresses before and shortens them after', async () => {
      const { app, id } = await open()
      await app.clock.advance(31 * DAY)
      const erased = Promise.withResolvers<void>()
      const shortening = Promise.withResolvers<void>()
      const erasure = app.process.transaction(async () => {
        await app.rows.auditEvents.change({ userId: id }, { ip: null, ipWholeSince: null, sessionId: null })
        erased.resolve()
        await shortening.promise
      })
      await erased.promise
      const before = erasures.length
      onErase = () => {
        if (erasures.length > before) shortening.resolve()
      }
      await app.process.cleanUp()
      await erasure
      expect(await personal(app, id)).toBe(0)
    })
})
