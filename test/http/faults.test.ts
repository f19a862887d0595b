import { beforeEach, describe, expect, test } from 'bun:test'
import { type ErrorCode, KeywardError } from '../../src/errors.ts'
import type { SignedUp } from '../support/app.ts'
import { appPerTest } from '../support/hooks.ts'
import { expectRefusal } from '../support/refusal.ts'
import { standIn } from '../support/replace.ts'

const marker = 'zq7-marker'
const passwords = standIn<'passwords'>()
const tokens = standIn<'tokens'>()
const log = standIn<'log'>()
const app = appPerTest({
  replace: { passwords: passwords.replacement, tokens: tokens.replacement, log: log.replacement },
})
let ada: SignedUp

beforeEach(async () => {
  ada = await app.signUp()
  app.logs.length = 0
})

const login = (path = '/token') => app.request('POST', path, { form: { username: 'ada', password: ada.password } })
const failWith = (error: unknown) =>
  passwords.change({ verify: () => Promise.reject(error), hash: () => Promise.reject(error) })
const nothingLeaks = async (response: Response) => {
  expect(await response.text()).not.toContain(marker)
  expect([...response.headers].join()).not.toContain(marker)
  expect(app.logs.join()).not.toContain(marker)
}

/** An error like a driver's: its message contains statement and parameters, and lines that look like stack frames. */
class DriverError extends Error {
  override name = 'DriverError'
  code = 'ERR_ODD'
  params = [marker]
}
const driverError = () =>
  new DriverError(`insert into "users" values ('${marker}')\n    at ${marker} (/home/${marker}.ts:1:1)`)

describe('an unexpected error in a handler', () => {
  test.each([
    ['an error', driverError()],
    ['an error with a cause', new Error(marker, { cause: driverError() })],
    ['a text', marker],
    ['an object', { message: marker, status: 200, toString: (): string => marker }],
    ['a Response', new Response(marker)],
    ['nothing', undefined],
  ])('%s: is a 500 without details', async (_, error) => {
    failWith(error)
    const response = await login()
    const problem = await expectRefusal(response, 'internal')
    expect(problem).toMatchObject({ detail: 'Internal Server Error', error: 'server_error' })
    await nothingLeaks(response)
    expect(app.logs.some((line) => line.includes('"unhandled_error"') && line.includes('"route":"/token"'))).toBe(true)
  })

  test('K14: is logged with class, code and own stack frames, under the id of the request', async () => {
    failWith(driverError())
    const response = await login()
    const line = JSON.parse(app.logs[0] ?? '') as Record<string, string>
    expect(line).toMatchObject({
      level: 'error',
      event: 'unhandled_error',
      error: 'DriverError',
      error_code: 'ERR_ODD',
    })
    expect(line.request_id).toBe(response.headers.get('x-request-id')!)
    expect(line.stack).toContain('faults.test.ts')
  })
})

test('an unexpected error in the guard is the same 500', async () => {
  tokens.change({ verifyFresh: () => Promise.reject(driverError()) })
  const response = await app.request('GET', '/users/me', { token: ada.grant.access_token })
  await expectRefusal(response, 'internal')
  await nothingLeaks(response)
})

test('K14: an answer that violates its schema is a 500 that shows no part of it', async () => {
  tokens.change({ mint: () => ({ token: { secret: marker } as unknown as string, expiresIn: 1800 }) })
  const response = await login()
  await expectRefusal(response, 'internal')
  await nothingLeaks(response)
  expect(app.logs[0]).toContain('"unhandled_error"')
})

describe('503', () => {
  test.each<[ErrorCode, number, string]>([
    ['overloaded', 2.1, '3'],
    ['database_busy', 1, '1'],
    ['database_unavailable', 5, '5'],
  ])('%s says when to try again, and not why', async (code, retryAfter, header) => {
    failWith(new KeywardError(code, { retryAfter, cause: driverError() }))
    const response = await login()
    const problem = await expectRefusal(response, code)
    expect(response.headers.get('retry-after')).toBe(header)
    expect(problem).toMatchObject({ error: 'temporarily_unavailable' })
    await nothingLeaks(response)
    expect(app.logs[0]).toContain(`"code":"${code}"`)
  })

  test('is logged with its cause, if there is one', async () => {
    const lines = async (cause?: unknown) => {
      app.logs.length = 0
      failWith(new KeywardError('overloaded', { cause }))
      await login()
      return app.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
    }
    expect(await lines()).toMatchObject([{ event: 'request', code: 'overloaded' }])
    expect(await lines(driverError())).toMatchObject([
      { level: 'warn', event: 'refused', code: 'overloaded', error: 'DriverError' },
      { event: 'request', code: 'overloaded' },
    ])
  })

  test('has Retry-After even if the time is not known', async () => {
    failWith(new KeywardError('shutting_down'))
    await expectRefusal(await login('/user/token'), 'shutting_down')
  })

  test('is the answer to an error that wraps this refusal', async () => {
    failWith(new Error(marker, { cause: new KeywardError('database_busy', { retryAfter: 1 }) }))
    const response = await app.request('POST', '/register', {
      json: { email: 'b@example.com', username: 'bob', password: 'correct horse battery' },
    })
    await expectRefusal(response, 'database_busy')
    await nothingLeaks(response)
  })
})

test('an internal error in one request does not affect others of the same batch', async () => {
  log.change(({ info }) => ({
    info(event, fields) {
      if (fields?.route === '/user/user') throw new Error(marker)
      info(event, fields)
    },
  }))
  const ask = (path: string) => app.request('GET', path, { token: ada.grant.access_token })
  const [before, broken, after] = await Promise.allSettled([ask('/users/me'), ask('/user/user'), ask('/users/me')])
  expect([before.status, broken.status, after.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})
