import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps } from '../support/hooks.ts'
import { standIn } from '../support/replace.ts'
import {
  ACCESS,
  type Act,
  applyTo,
  begin,
  isAlive,
  type Model,
  type ModelSession,
  type Outcome,
  permutations,
} from './model.ts'
import { generationOf, login, type Pair, refresh, turns } from './support.ts'

/** One operation, chosen before it is known what it can be applied to. */
interface Choice {
  kind: Act['kind']
  app: number
  session: number
  /** How many generations before the newest issued one. */
  behind: number
  /** How many turns of the event loop later it starts. */
  late: number
}

type Step =
  | { kind: 'at once'; choices: Choice[] }
  | { kind: 'time passes'; ms: number }
  | { kind: 'while a login is under way'; app: number; choices: Choice[] }

interface Plan {
  act: Act
  perform: () => Promise<Outcome>
}

interface Handed {
  refresh: Map<number, string>
  access: { token: string; generation: number; issuedAt: number }[]
}

const passwords = ['correct horse battery', 'another stapled horse']

const choice: fc.Arbitrary<Choice> = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('refresh' as const) },
    { weight: 5, arbitrary: fc.constant('use' as const) },
    { weight: 2, arbitrary: fc.constant('login' as const) },
    { weight: 1, arbitrary: fc.constantFrom<Act['kind']>('logout', 'set password', 'close', 'open') },
  ),
  app: fc.nat({ max: 1 }),
  session: fc.nat({ max: 2 }),
  behind: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 3 }) }),
  late: fc.nat({ max: 4 }),
})
const choices = fc.array(choice, { minLength: 1, maxLength: 4 })
const times = [1, SECOND, 9 * SECOND, 10 * SECOND, 11 * SECOND, MINUTE, 31 * MINUTE, HOUR, HOUR + 1, 20 * DAY, 31 * DAY]
const backwards = [-1, -5 * SECOND, -11 * SECOND, -HOUR, -2 * DAY]
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: choices.map((all): Step => ({ kind: 'at once', choices: all })) },
  { weight: 3, arbitrary: fc.constantFrom(...times).map((ms): Step => ({ kind: 'time passes', ms })) },
  { weight: 1, arbitrary: fc.constantFrom(...backwards).map((ms): Step => ({ kind: 'time passes', ms })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat({ max: 1 }), choices)
      .map(([app, all]): Step => ({ kind: 'while a login is under way', app, choices: all })),
  },
)

let accounts = 0

const hashing = standIn<'passwords'>()

/** One account with its known tokens, and the model of the valid ones. */
async function startStory(apps: readonly TestApp[]) {
  const { clock } = apps[0]!
  const username = `ada${++accounts}`
  const { id, grant } = await apps[0]!.signUp(username, passwords[0])
  const model: Model = { active: true, password: 0, sessions: [begin(clock.now())] }
  const handed: Handed[] = []
  const sessionIds: string[] = []

  function take(pair: Pair): number {
    const sid = Buffer.from(pair.refresh_token.slice(4), 'base64url').subarray(1, 17).toString('base64url')
    let number = sessionIds.indexOf(sid)
    if (number === -1) number = sessionIds.push(sid) - 1
    handed[number] ??= { refresh: new Map(), access: [] }
    const generation = generationOf(pair.refresh_token)
    // Never two branches: all tokens of a generation are the same token.
    const known = handed[number]!.refresh.get(generation)
    if (known !== undefined) expect(pair.refresh_token).toBe(known)
    handed[number]!.refresh.set(generation, pair.refresh_token)
    handed[number]!.access.push({ token: pair.access_token, generation, issuedAt: clock.now() })
    return generation
  }
  take(grant as unknown as Pair)

  /** The operation that a choice results in now, and how to run it. */
  function plan({ kind, app: at, session, behind, late }: Choice): Plan {
    const app = apps[at % apps.length]!
    const planned = (act: Act, perform: () => Promise<Outcome>): Plan => ({
      act,
      perform: () => turns(late).then(perform),
    })
    const done = (work: Promise<unknown>) => work.then(() => true)
    const answered = async (response: Response): Promise<Outcome> => {
      if (response.status === 401) return false
      expect(response.status).toBe(200)
      return take((await response.json()) as Pair)
    }
    switch (kind) {
      case 'login': {
        const password = passwords[model.password]!
        return planned({ kind, password: model.password }, async () => {
          return (await answered(await login(app, { username, password }))) !== false
        })
      }
      case 'set password': {
        const password = 1 - model.password
        return planned({ kind, password }, () => done(app.admin.setPassword(id, passwords[password]!)))
      }
      case 'close':
        return planned({ kind }, () => done(app.admin.deactivate(id)))
      case 'open':
        return planned({ kind }, () => done(app.admin.activate(id)))
    }
    const number = session % handed.length
    const { refresh: texts, access } = handed[number]!
    if (kind === 'refresh') {
      const generation = Math.max(0, Math.max(...texts.keys()) - behind)
      const text = texts.get(generation)!
      return planned({ kind, session: number, generation }, async () => answered(await refresh(app, text)))
    }
    const { token, generation, issuedAt } = access[Math.max(0, access.length - 1 - behind)]!
    const issued = Math.floor(issuedAt / SECOND) * SECOND
    const fresh = clock.now() < issued + ACCESS && issued - MINUTE <= clock.now()
    const [method, path, good] = kind === 'use' ? ['GET', '/users/me', 200] : ['POST', '/logout', 204]
    const alive = isAlive(model.sessions[number], clock.now())
    return planned({ kind, session: number, generation, fresh, alive }, async () => {
      const { status } = await app.request(method as string, path as string, { token })
      expect([good, 401]).toContain(status)
      return status === good
    })
  }

  /** One row per session, with what the model says, where that still matters. */
  async function rows(): Promise<{ active: boolean; ofSessions: string[] }> {
    const account = await apps[0]!.admin.user(id)
    const found = await apps[0]!.rows.sessions.all({ userId: id })
    expect(found).toHaveLength(sessionIds.length)
    const ofSessions = sessionIds.map((sid) => {
      const row = found.find((one) => one.id === sid)!
      const alive = row.endedAt === null && row.epoch === account.sessionEpoch && account.isActive
      return JSON.stringify(alive ? [row.generation, row.refreshedAt, row.confirmedGeneration, row.expiresAt] : 'dead')
    })
    return { active: account.isActive, ofSessions }
  }
  const modelRow = (one: ModelSession): string =>
    JSON.stringify(one.dead ? 'dead' : [one.generation, one.refreshedAt, one.seen, one.expiresAt])

  /** Runs all in parallel. There must be an order in which the rules give exactly these answers and rows. */
  async function atOnce(choices: Choice[]): Promise<void> {
    const plans = choices.map(plan)
    const outcomes = await Promise.all(plans.map(({ perform }) => perform()))
    const now = clock.now()
    const { active, ofSessions: left } = await rows()
    const old = model.sessions.length
    for (const order of permutations(plans.length)) {
      const draft = structuredClone(model)
      if (!order.every((at) => applyTo(draft, plans[at]!.act, now, outcomes[at]!) === outcomes[at])) continue
      // Sessions that began just now have no order.
      const fresh = draft.sessions.splice(old)
      for (const row of left.slice(old)) {
        const match = fresh.findIndex((one) => modelRow(one) === row)
        if (match !== -1) draft.sessions.push(...fresh.splice(match, 1))
      }
      if (draft.active !== active || fresh.length > 0 || draft.sessions.map(modelRow).join() !== left.join()) continue
      Object.assign(model, draft)
      return
    }
    const what = plans.map(({ act }, at) => `${JSON.stringify(act)} -> ${outcomes[at]}`)
    throw new Error(`no order explains\n${what.join('\n')}\n${JSON.stringify(model)}\n${left.join('\n')}`)
  }

  /** A login that has verified its password, delayed before the next step. */
  async function overtaken(at: number, all: Choice[]): Promise<void> {
    const app = apps[at % apps.length]!
    const verified = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    hashing.change(({ verify }) => ({
      async verify(...input) {
        const result = await verify(...input)
        verified.resolve()
        await release.promise
        return result
      },
    }))
    const before = model.active ? model.password : undefined
    const epoch = (await app.admin.user(id)).sessionEpoch
    const response = login(app, { username, password: passwords[model.password]! })
    await verified.promise
    hashing.restore()
    await atOnce(all)
    release.resolve()
    const answer = await response
    const account = await app.admin.user(id)
    const holds = before !== undefined && account.isActive && account.sessionEpoch === epoch
    expect(answer.status).toBe(holds ? 200 : 401)
    if (!holds) return
    take((await answer.json()) as Pair)
    model.sessions.push(begin(clock.now()))
  }

  return async (one: Step): Promise<void> => {
    if (one.kind === 'time passes') clock.setWall(clock.now() + one.ms)
    else if (one.kind === 'at once') await atOnce(one.choices)
    else await overtaken(one.app, one.choices)
  }
}

describeEachDialect('random operations of clients, thieves, administrators and clocks', (dialect) => {
  test.each([
    ['at one Keyward', 1],
    ['at two on one database', 2],
  ])('give the same sessions as if run one after the other, %s', async (_, count) => {
    const apps = await createApps(count, { dialect, replace: { passwords: hashing.replacement } })
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (steps) => {
          const perform = await startStory(apps)
          for (const one of steps) await perform(one)
        }),
        { numRuns: dialect.name === 'sqlite' ? 100 : 40, interruptAfterTimeLimit: 8_000 },
      )
    } finally {
      await closeApps(apps)
    }
  })
})
