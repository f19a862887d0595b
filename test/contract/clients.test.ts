import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { generate } from 'orval'
import { generateApi } from 'swagger-typescript-api'
import { createTestApp, type TestApp } from '../support/app.ts'
import { scratchFolder } from '../support/scratch.ts'
import { type Served, serve } from '../support/socket.ts'

/** A program that uses the generated code: `tsc` checks the names and types. */
interface Story {
  live(url: string, user: { username: string; email: string; password: string }): Promise<unknown[]>
}

const orvalStory = `
import { endSessions, getMe, getSigningKeys, listSessions, login, refreshTokens, register } from './orval.ts'
import type { User } from './orval.ts'

export async function live(_: string, user: { username: string; email: string; password: string }) {
  const registered = await register(user)
  if (registered.status === 202) throw new Error(registered.data.message)
  if (registered.status !== 201) throw new Error(registered.data.code)
  const { username, password } = user
  const wrong = await login({ username, password: 'wrong' })
  const granted = await login({ username, password })
  if (granted.status !== 200) throw new Error(granted.data.error)
  const pair = await refreshTokens({ refresh_token: granted.data.refresh_token! })
  if (pair.status !== 200) throw new Error(pair.data.error)
  const as = { headers: { authorization: \`Bearer \${pair.data.access_token}\` } }
  const me = await getMe(as)
  if (me.status !== 200) throw new Error(me.data.code)
  const found: User = me.data
  const sessions = await listSessions(as)
  if (sessions.status !== 200) throw new Error(sessions.data.code)
  const ended = await endSessions({ except: 'current' }, as)
  const keys = await getSigningKeys()
  return [wrong.status, found.username, sessions.data.length, sessions.data[0]?.current, ended.status, keys.status]
}
`

const swaggerStory = `
import { Api, type User } from './swagger.ts'

export async function live(baseUrl: string, user: { username: string; email: string; password: string }) {
  const api = new Api<string>({
    baseUrl,
    securityWorker: (token) => ({ headers: { authorization: \`Bearer \${token}\` } }),
  })
  await api.accounts.register(user)
  const { username, password } = user
  const wrong = await api.tokens.login({ username, password: 'wrong' }).catch((refusal) => refusal)
  const granted = await api.tokens.login({ username, password })
  const pair = await api.tokens.refreshTokens({ refresh_token: granted.data.refresh_token! })
  api.setSecurityData(pair.data.access_token)
  const found: User = (await api.accounts.getMe()).data
  const sessions = await api.sessions.listSessions()
  const ended = await api.sessions.endSessions({ except: 'current' })
  const keys = await api.keys.getSigningKeys()
  return [wrong.status, found.username, sessions.data.length, sessions.data[0]?.current, ended.status, keys.status]
}
`

describe('a client generated from the OpenAPI document', () => {
  let app: TestApp
  let served: Served
  let folder: string
  beforeAll(async () => {
    app = await createTestApp()
    served = serve(app)
    folder = scratchFolder('clients')
    const document = join(folder, 'openapi.json')
    await Bun.write(document, await (await app.request('GET', '/openapi.json')).text())
    await generate({
      input: { target: document },
      output: { target: join(folder, 'orval.ts'), client: 'fetch', baseUrl: served.url },
    })
    await generateApi({
      input: document,
      output: folder,
      fileName: 'swagger.ts',
      moduleNameFirstTag: true,
      silent: true,
    })
    await Bun.write(join(folder, 'orval-story.ts'), orvalStory)
    await Bun.write(join(folder, 'swagger-story.ts'), swaggerStory)
  }, 60_000)
  afterAll(async () => {
    await served.stop()
    await app.close()
  })

  test('has exactly the expected types', async () => {
    await Bun.write(join(folder, 'wrong.ts'), swaggerStory.replace('getMe()', 'getUsersMe()'))
    const complaints = await typeCheck(folder, ['orval-story.ts', 'swagger-story.ts', 'wrong.ts'])
    expect(complaints).toHaveLength(1)
    expect(complaints[0]).toMatch(/^wrong\.ts.*Property 'getUsersMe' does not exist/)
  }, 60_000)

  test.each([
    ['orval', 'orval-story.ts'],
    ['swagger-typescript-api', 'swagger-story.ts'],
  ])('registers, logs in, refreshes and reads the account: %s', async (name, file) => {
    const { live } = (await import(join(folder, file))) as Story
    const username = `ada-${name}`
    const user = { username, email: `${username}@example.com`, password: 'correct horse battery' }
    expect(await live(served.url, user)).toEqual([401, username, 1, true, 204, 200])
  })
})

/** The errors of the compiler in these files and all that they import, one per line. */
async function typeCheck(cwd: string, files: string[]): Promise<string[]> {
  const tsc = join(import.meta.dir, '../../node_modules/typescript/bin/tsc')
  const language = ['--strict', '--target', 'esnext', '--module', 'preserve', '--lib', 'esnext,dom', '--types', '']
  const options = [...language, '--noEmit', '--skipLibCheck', '--allowImportingTsExtensions', '--ignoreConfig']
  const child = Bun.spawn([process.execPath, tsc, ...options, ...files], {
    cwd,
    stdout: 'pipe',
    stderr: 'inherit',
    env: { PATH: process.env.PATH },
  })
  const text = await new Response(child.stdout).text()
  return text.split('\n').filter((line) => /error TS/.test(line))
}
