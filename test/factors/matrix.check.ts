import { expect, test } from 'bun:test'
import { audit } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsWithMail } from '../verification/support.ts'
import { grants, type State, states, type Way, ways } from './ways.ts'

const table: Record<string, Way> = {
  ...ways,
  ...Object.fromEntries(
    Object.entries(grants).flatMap(([name, way]) =>
      typeof way === 'string' || name === 'password' ? [] : [[`POST /token ${name}`, way]],
    ),
  ),
}

/** The session that a cell leads to without a second request; undefined when the second factor is due. */
const atOnce = (way: Way, { methods }: State): readonly string[] | undefined =>
  methods === undefined || way.asks !== 'always' ? way.amr : undefined

const countsOf = async (app: TestApp) => ({
  sessions: await app.rows.sessions.count(),
  devices: await app.rows.devices.count(),
  succeeded: (await audit(app, 'login.succeeded')).length,
  challenged: (await audit(app, 'mfa.challenged')).length,
  passed: (await audit(app, 'mfa.passed')).length,
})

describeEachDialect('the second factor, for every way in and every state of the account', (dialect) => {
  const open = appsWithMail()

  for (const [name, way] of Object.entries(table))
    test(`F36, A6.3.4: ${name}`, async () => {
      const { app, sink } = await open(dialect, { env: { EMAIL_LOGIN: 'on' } })
      let made = 0
      for (const [label, state] of Object.entries(states)) {
        const user = await app.signUp(`user${++made}`)
        const answer = await state.add(app, user.id)
        const before = await countsOf(app)
        const outcome = await way.enter({ app, sink, user })
        const after = await countsOf(app)
        const amr = atOnce(way, state)
        if (amr) {
          expect([label, outcome]).toEqual([label, { is: 'session', amr }])
          expect([label, after.challenged]).toEqual([label, before.challenged])
          continue
        }
        // Half a login leaves no session, no device and no success behind (F38).
        const due = expect.objectContaining({ is: 'due' })
        expect([label, outcome, after.sessions, after.devices, after.succeeded]).toEqual([
          label,
          due,
          before.sessions,
          before.devices,
          before.succeeded,
        ])
        if (outcome.is !== 'due') throw new Error('a second factor is due')
        if (outcome.methods) expect([label, outcome.methods]).toEqual([label, state.methods!])
        if (!outcome.finish) continue
        expect([label, after.challenged]).toEqual([label, before.challenged + 1])
        const finished = await outcome.finish(answer!)
        const last = await countsOf(app)
        if (state.shown) {
          const shown = [...way.amr, ...state.shown, 'mfa']
          expect([label, finished]).toEqual([label, { is: 'session', amr: shown }])
          expect([label, last.sessions, last.passed]).toEqual([label, before.sessions + 1, before.passed + 1])
        } else {
          expect([label, finished]).toEqual([label, { is: 'refused', code: 'totp_locked' }])
          expect([label, last.sessions]).toEqual([label, before.sessions])
        }
      }
    })
})
