import { expect, test } from 'bun:test'
import { KeywardError } from '../../src/errors.ts'
import { SECOND } from '../../src/lib/clock.ts'
import type { TestApp } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { describeEachDialect } from '../support/dialects.ts'
import { appsPerTest } from '../support/hooks.ts'

const apps = appsPerTest()

const secondly = { every: SECOND, by: 'each' } as const

describeEachDialect('periodic jobs', (dialect) => {
  test('T12: a failing job is logged, runs again at its next turn and does not affect other jobs', async () => {
    const app = await apps.open({ dialect })
    const ran: string[] = []
    const errors = [new Error('hunter2'), 'no error at all', new KeywardError('database_unavailable')]
    const jobs = app.process.startJobs([
      {
        ...secondly,
        name: 'bad',
        run: async () => {
          ran.push('bad')
          throw errors.shift()
        },
      },
      { ...secondly, name: 'good', run: async () => void ran.push('good') },
    ])
    for (let i = 0; i < 3; i++) {
      await app.clock.advance(SECOND)
      await jobs.settled()
    }
    expect(ran).toEqual(['bad', 'good', 'bad', 'good', 'bad', 'good'])
    const failures = app.logs.map((line) => JSON.parse(line)).filter(({ event }) => event === 'job_failed')
    expect(failures.map(({ level, job }) => [level, job])).toEqual([
      ['error', 'bad'],
      ['error', 'bad'],
      ['warn', 'bad'],
    ])
    expect(app.logs.join('')).not.toContain('hunter2')
    await jobs.stop()
  })

  test('a running job is not started again, and a stop waits for it', async () => {
    const app = await apps.open({ dialect })
    const events: string[] = []
    const gate = Promise.withResolvers<void>()
    const jobs = app.process.startJobs([
      {
        ...secondly,
        name: 'slow',
        run: async () => {
          events.push('began')
          await gate.promise
          events.push('ended')
        },
      },
    ])
    await app.clock.advance(5 * SECOND)
    expect(events).toEqual(['began'])
    const stopped = jobs.stop().then(() => events.push('stopped'))
    gate.resolve()
    await stopped
    await app.clock.advance(5 * SECOND)
    expect(events).toEqual(['began', 'ended', 'stopped'])
  })

  test('a job with a lease runs in one process, and in another once that stops or crashes', async () => {
    const ran: string[] = []
    const start = (app: TestApp, name: string) =>
      app.process.startJobs([{ name: 'tidy', every: SECOND, by: 'one', run: async () => void ran.push(name) }])
    const first = await apps.open({ dialect })
    // Each process has its own clock, which can stand still with the process.
    const beside = (seed: string) => apps.open({ databaseUrl: first.databaseUrl, clock: manualClock(), seed })
    const [second, third] = [await beside('second'), await beside('third')]
    const jobs = new Map([first, second, third].map((app, i) => [app, start(app, `process ${i + 1}`)]))
    const turn = async (...alive: TestApp[]) => {
      for (const { clock } of [first, second, third]) clock.setWall(clock.now() + SECOND)
      for (const app of alive) {
        app.clock.setWall(app.clock.now() - SECOND)
        await app.clock.advance(SECOND)
        await jobs.get(app)?.settled()
      }
      return ran.splice(0)
    }

    expect(await turn(first, second, third)).toEqual(['process 1'])
    expect(await turn(third, second, first)).toEqual(['process 1'])
    await jobs.get(first)?.stop()
    expect(await turn(second, third)).toEqual(['process 2'])
    // The second process stands still now and has not released its lease.
    expect([await turn(third), await turn(third), await turn(third)]).toEqual([[], [], ['process 3']])
    expect(await turn(second, third)).toEqual(['process 3'])

    for (const app of [third, second, first]) {
      await jobs.get(app)?.stop()
    }
  })
})
