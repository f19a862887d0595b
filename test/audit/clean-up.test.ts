import { expect, test } from 'bun:test'
import { DAY, HOUR } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

describeEachDialect('the clean-up of the audit log', (dialect) => {
  const apps = appsPerTest()
  let app: TestApp
  const open = async (env: Record<string, string> = {}) => {
    app = await apps.open({ dialect, env, jobs: true })
  }
  const write = (ip?: string, userId = 1) => app.record({ event: 'login.failed', userId, ip })
  // The signing keys of the first start are events too.
  const rows = () => app.rows.auditEvents.all({ event: 'login.failed' })
  const ips = async () => (await rows()).map(({ ip }) => ip)

  test('shortens addresses to a network after AUDIT_IP_DAYS, once', async () => {
    await open()
    const whole = ['198.51.100.77', '198.51.100.78', '2001:db8:1:2:3:4:5:6', '::ffff:192.0.2.9', undefined]
    for (const ip of whole) await write(ip)
    await app.passTime(30 * DAY - HOUR)
    await write('203.0.113.5')
    expect((await ips()).slice(0, 3)).toEqual(['198.51.100.77', '198.51.100.78', '2001:db8:1:2:3:4:5:6'])
    await app.passTime(HOUR + 1)
    const short = ['198.51.100.0/24', '198.51.100.0/24', '2001:db8:1::/48', '192.0.2.0/24', null]
    expect(await ips()).toEqual([...short, '203.0.113.5'])
    expect((await rows()).map(({ ipWholeSince }) => ipWholeSince === null)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ])
    await app.passTime(30 * DAY)
    expect(await ips()).toEqual([...short, '203.0.113.0/24'])
  })

  test('deletes rows after AUDIT_DAYS', async () => {
    await open({ AUDIT_DAYS: '10', AUDIT_IP_DAYS: '2' })
    await write('198.51.100.77')
    await app.passTime(5 * DAY)
    await write('198.51.100.78')
    await app.passTime(5 * DAY)
    expect(await ips()).toEqual(['198.51.100.0/24', '198.51.100.0/24'])
    await app.passTime(HOUR)
    expect(await ips()).toEqual(['198.51.100.0/24'])
    await app.passTime(5 * DAY)
    expect(await ips()).toEqual([])
  })

  test('with AUDIT_IP_DAYS=0 shortens an address at the next run', async () => {
    await open({ AUDIT_IP_DAYS: '0' })
    await write('198.51.100.77')
    await app.passTime(2 * 60_000)
    expect(await ips()).toEqual(['198.51.100.0/24'])
  })

  test('continues in the next runs when there is more than one run can do', async () => {
    await open()
    await app.process.transaction(async () => {
      for (let i = 0; i < 700; i++) await write(`198.51.${i % 250}.${i % 200}`)
    })
    await app.passTime(31 * DAY)
    expect((await ips()).filter((ip) => !ip?.endsWith('.0/24'))).toEqual([])
    await app.passTime(400 * DAY)
    expect(await ips()).toEqual([])
  })
})
