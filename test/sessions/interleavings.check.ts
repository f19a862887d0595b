import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { User } from '../../src/features/users/users.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { closeApps, createApps } from '../support/hooks.ts'
import { standIn } from '../support/replace.ts'
import { begunSession, origin, refreshAt } from './kinds.ts'
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
    { weight: 6, arbitrary: fc.constantFrom<Act['kind']>('sign in', 'grant', 'grant') },
    { weight: 2, arbitrary: fc.constantFrom<Act['kind']>('sign out', 'foreign refresh') },
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
  const model: Model = { active: true, password: 0, epoch: 0, sessions: [begin(clock.now())] }
  const handed: Handed[] = []
  const sessionIds: string[] = []

  function take(pair: Pick<Pair, 'refresh_token'> & Partial<Pair>): number {
    const sid = Buffer.from(pair.refresh_token.slice(4), 'base64url').subarray(1, 17).toString('base64url')
    let number = sessionIds.indexOf(sid)
    if (number === -1) number = sessionIds.push(sid) - 1
    handed[number] ??= { refresh: new Map(), access: [] }
    const generation = generationOf(pair.refresh_token)
    // Never two branches: all tokens of a generation are the same token.
    const known = handed[number]!.refresh.get(generation)
    if (known !== undefined) expect(pair.refresh_token).toBe(known)
    handed[number]!.refresh.set(generation, pair.refresh_token)
    if (pair.access_token) handed[number]!.access.push({ token: pair.access_token, generation, issuedAt: clock.now() })
    return generation
  }
  take(grant as unknown as Pair)

  /** The operation that a choice results in now, and how to run it. */
  function plan({ kind, app: at, session, behind, late }: Choice, user: User): Plan {
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
    const numbers = (...kinds: ModelSession['kind'][]) =>
      model.sessions.flatMap((one, number) => (kinds.includes(one.kind) ? [number] : []))
    const pick = (from: number[]) => from[from.length - 1 - (session % from.length)]
    const { epoch } = model
    if (kind === 'sign in') {
      // Every second one in a browser that is signed in.
      const replaces = behind % 2 === 1 ? undefined : pick(numbers('browser'))
      return planned({ kind, epoch, replaces }, () =>
        begun(async () => {
          const browser = { isRemembered: false, replaces: replaces === undefined ? undefined : sessionIds[replaces] }
          return begunSession(await app.process.sessions.begin({ user, amr: ['pwd'], origin, browser })).session.id
        }, app),
      )
    }
    const parent = pick(numbers('browser'))
    if (kind === 'grant' && parent !== undefined) {
      const offline = behind === 1
      const asked = { user, epoch, parent: sessionIds[parent], client: { id: 'kwa_a' }, scope: 'openid', resources: [] }
      return planned({ kind, epoch, parent, offline }, async () => {
        const granted = await app.process
          .transaction(() =>
            app.process.sessions.beginForClient({ ...asked, isOffline: offline, amr: ['pwd'], authTime: 0, origin }),
          )
          .catch(refusedBy('invalid_grant'))
        if (!granted) return false
        take({ refresh_token: app.process.sessions.finishForClient(granted).refreshToken })
        return true
      })
    }
    if (kind === 'sign out' && parent !== undefined)
      return planned({ kind, session: parent }, () =>
        done(app.process.sessions.endBrowser({ id: sessionIds[parent]!, user }, origin.ip)),
      )
    const ofClient = pick(numbers('client'))
    if (kind === 'foreign refresh' && ofClient !== undefined) {
      const texts = [...handed[ofClient]!.refresh.values()]
      return planned({ kind, session: ofClient }, async () => {
        await refreshAt(app, texts[Math.max(0, texts.length - 1 - behind)]!, { client: 'kwa_b' }).catch(
          refusedBy('invalid_refresh_token'),
        )
        return false
      })
    }
    if (kind !== 'use' && kind !== 'logout') {
      const number = pick(numbers('api', 'client'))!
      const { refresh: texts } = handed[number]!
      const generation = Math.max(0, Math.max(...texts.keys()) - behind)
      const text = texts.get(generation)!
      return planned({ kind: 'refresh', session: number, generation }, async () => {
        if (model.sessions[number]!.kind === 'api') return answered(await refresh(app, text))
        const next = await refreshAt(app, text).catch(refusedBy('invalid_refresh_token'))
        return next ? take({ refresh_token: next.refreshToken }) : false
      })
    }
    const number = pick(numbers('api'))!
    const { access } = handed[number]!
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
    const parentOf = (row: { parentId: string | null }) =>
      row.parentId === null ? undefined : sessionIds.indexOf(row.parentId)
    expect(found).toHaveLength(sessionIds.length)
    const ofSessions = sessionIds.map((sid) => {
      const row = found.find((one) => one.id === sid)!
      const alive = row.endedAt === null && row.epoch === account.sessionEpoch && account.isActive
      const { generation, refreshedAt, confirmedGeneration, expiresAt } = row
      return JSON.stringify(
        alive ? [row.kind, generation, refreshedAt, confirmedGeneration, expiresAt, parentOf(row)] : [row.kind, 'dead'],
      )
    })
    return { active: account.isActive, ofSessions }
  }
  const modelRow = ({ kind, ...one }: ModelSession): string =>
    JSON.stringify(
      one.dead ? [kind, 'dead'] : [kind, one.generation, one.refreshedAt, one.seen, one.expiresAt, one.parent],
    )

  /** Runs all in parallel. There must be an order in which the rules give exactly these answers and rows. */
  async function atOnce(choices: Choice[]): Promise<void> {
    const user = await apps[0]!.admin.user(id)
    expect(user.sessionEpoch).toBe(model.epoch)
    const plans = choices.map((one) => plan(one, user))
    const outcomes = await Promise.all(plans.map(({ perform }) => perform()))
    const now = clock.now()
    const { active, ofSessions: left } = await rows()
    const old = model.sessions.length
    for (const order of permutations(plans.length)) {
      const draft = structuredClone(model)
      if (!order.every((at) => applyTo(draft, plans[at]!.act, now, outcomes[at]!) === outcomes[at])) continue
      if (draft.active !== active || draft.sessions.length !== left.length) continue
      // Sessions that began just now have no order.
      for (const numbers of permutations(left.length - old)) {
        const renumbered = renumber(draft.sessions, old, numbers)
        if (renumbered.map(modelRow).join() !== left.join()) continue
        Object.assign(model, draft, { sessions: renumbered })
        return
      }
    }
    const what = plans.map(({ act }, at) => `${JSON.stringify(act)} -> ${outcomes[at]}`)
    throw new Error(`no order explains\n${what.join('\n')}\n${JSON.stringify(model)}\n${left.join('\n')}`)
  }

  /** Runs what begins a browser session. */
  async function begun(work: () => Promise<string>, app: TestApp): Promise<Outcome> {
    const sid = await app.process.transaction(work).catch(refusedBy('invalid_credentials'))
    if (sid === undefined) return false
    handed[sessionIds.push(sid) - 1] = { refresh: new Map(), access: [] }
    return true
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

/** The sessions, of which those from `old` on are in another order. */
function renumber(sessions: readonly ModelSession[], old: number, numbers: readonly number[]): ModelSession[] {
  const place = (number: number | undefined) =>
    number === undefined || number < old ? number : old + numbers.indexOf(number - old)
  const all = [...sessions.slice(0, old), ...numbers.map((number) => sessions[old + number]!)]
  return all.map((one) => (one.parent === undefined ? one : { ...one, parent: place(one.parent) }))
}

const refusedBy = (code: string) => (error: unknown) => {
  expect(error).toMatchObject({ code })
  return undefined
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
