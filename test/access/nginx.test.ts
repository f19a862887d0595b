import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { loggedIn } from '../sessions/support.ts'
import { createTestApp, type SignedUp, type TestApp } from '../support/app.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startNginx } from '../support/proxy.ts'
import { blocksOf, readChapter } from '../support/readme.ts'
import { type Served, serve } from '../support/socket.ts'

setDefaultTimeout(30_000)

const snippet = blocksOf(await readChapter('protecting-services')).find(({ language }) => language === 'nginx')!.text
const names = ['user', 'preferred-username', 'email', 'groups', 'acr'].map((name) => `x-auth-request-${name}`)

/** Runs nginx with the guide's block. */
function startWithSnippet(keyward: string, app: string): Promise<RunningProxy> {
  const locations = snippet
    .replace('http://keyward:8000', keyward)
    .replaceAll('http://app:3000', app)
    .replace('location / {', 'location /open-to-all-who-log-in/ {')
  // The same block again for administrators, with the role condition that the guide describes.
  const forAdmins = locations
    .replace('/open-to-all-who-log-in/', '/for-admins/')
    .replaceAll('/keyward', '/keyward-admin')
    .replace('/forward-auth;', '/forward-auth?role=admin;')
  const withFactor = locations
    .replace('/open-to-all-who-log-in/', '/for-two-factors/')
    .replaceAll('/keyward', '/keyward-level')
    .replace('/forward-auth;', '/forward-auth?acr=aal2;')
  return startNginx(`${locations}\n${forAdmins}\n${withFactor}`)
}

describe.skipIf(!hasPrograms('nginx'))('the nginx configuration of the guide, run by an unprivileged user', () => {
  let keyward: TestApp
  let served: Served
  let nginx: RunningProxy
  let upstream: Bun.Server<undefined>
  let reached = 0
  let ada: SignedUp

  beforeAll(async () => {
    keyward = await createTestApp()
    served = serve(keyward)
    ada = await keyward.signUp('ada')
    upstream = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        reached++
        return Response.json({ body: await request.text(), headers: [...request.headers] })
      },
    })
    nginx = await startWithSnippet(served.url, `http://127.0.0.1:${upstream.port}`)
  }, 30_000)
  afterAll(async () => {
    await nginx?.stop()
    await upstream?.stop(true)
    await served?.stop()
    await keyward?.close()
  })

  const hostile = Object.fromEntries(
    names.flatMap((name) => [
      [name, 'mallory'],
      [name.replaceAll('-', '_'), 'mallory'],
    ]),
  )
  const ask = (path: string, token?: string, init: RequestInit = {}) =>
    fetch(`${nginx.url}${path}`, {
      ...init,
      headers: { ...hostile, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    })
  /** The X-Auth-Request headers that the service received, in any spelling. */
  const told = async (response: Response): Promise<Record<string, string>> => {
    expect(response.status).toBe(200)
    const { headers } = (await response.json()) as { headers: [string, string][] }
    expect(JSON.stringify(headers)).not.toContain('mallory')
    return Object.fromEntries(headers.filter(([name]) => /^x.auth.request/i.test(name)))
  }
  const all = '/open-to-all-who-log-in/orders'

  test('refuses requests without a valid token, and passes on the challenge', async () => {
    const before = reached
    for (const token of [undefined, 'x', ada.grant.refresh_token]) {
      const answer = await ask(all, token)
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        token === undefined ? 'Bearer realm="keyward"' : 'Bearer realm="keyward", error="invalid_token"',
      ])
    }
    const hidden = await ask('/keyward')
    expect(hidden.status).toBe(404)
    expect(reached).toBe(before)
  })

  test('sends the caller to the service, omits an unverified address, and replaces headers of the client', async () => {
    expect(await told(await ask(all, ada.grant.access_token))).toEqual({
      'x-auth-request-user': String(ada.id),
      'x-auth-request-preferred-username': 'ada',
      'x-auth-request-groups': 'user',
      'x-auth-request-acr': 'aal1',
    })
    await keyward.rows.users.change({ id: ada.id }, { emailVerifiedAt: 1, username: 'Zoë' })
    expect(await told(await ask(all, ada.grant.access_token))).toEqual({
      'x-auth-request-user': String(ada.id),
      'x-auth-request-preferred-username': 'Zo%C3%AB',
      'x-auth-request-email': 'ada@example.com',
      'x-auth-request-groups': 'user',
      'x-auth-request-acr': 'aal1',
    })
  })

  test('passes a request body to the service but not to Keyward', async () => {
    const body = 'x'.repeat(100_000)
    const answer = await ask(all, ada.grant.access_token, { method: 'POST', body })
    expect(answer.status).toBe(200)
    expect(((await answer.json()) as { body: string }).body).toBe(body)
  })

  test('with ?acr= asks for a second factor, and tells the service that it was shown', async () => {
    const bea = await keyward.signUp('bea')
    const refused = await ask('/for-two-factors/', bea.grant.access_token)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"')
    expect(refused.headers.get('www-authenticate')).toContain('acr_values="aal2"')
    const phone = await keyward.factors.addApp(bea.id)
    const { access_token: token } = await loggedIn(keyward, bea, { otp: phone.code() })
    expect(await told(await ask('/for-two-factors/', token))).toMatchObject({ 'x-auth-request-acr': 'aal2' })
  })

  test('with ?role= lets through only users with that role, as soon as they have it', async () => {
    const admins = '/for-admins/?role=user'
    expect((await ask(admins)).status).toBe(401)
    const before = reached
    expect((await ask(admins, ada.grant.access_token)).status).toBe(403)
    expect(reached).toBe(before)
    await keyward.admin.giveRole(ada.id, 'admin')
    expect(await told(await ask(admins, ada.grant.access_token))).toMatchObject({
      'x-auth-request-groups': 'admin,user',
    })
    await keyward.request('POST', '/logout', { token: ada.grant.access_token })
    expect((await ask(admins, ada.grant.access_token)).status).toBe(401)
  })
})
