import { type DeclaredAnswer, type Operation, readDocument } from '../fuzz/document.ts'
import type { RequestOptions, TestApp } from '../support/app.ts'

/** A route for administrators, as `/openapi.json` describes it. */
export interface AdminRoute {
  /** Method and path, such as `GET /admin/users/{id}`. */
  name: string
  method: string
  path: string
  permission: string
  /** True when the route needs a login of the last 15 minutes. */
  isFresh: boolean
  /** The status of the answer to a caller who may do it. */
  success: number
  answers: ReadonlyMap<number, DeclaredAnswer>
  bodies: Operation['bodies']
}

/** Every route below `/admin/`, read from the document as a client reads it. */
export async function adminRoutes(app: TestApp): Promise<AdminRoute[]> {
  const { operations } = readDocument(await (await app.request('GET', '/openapi.json')).text())
  return operations.filter(({ path }) => path.startsWith('/admin/')).map(routeOf)
}

function routeOf({ method, path, description, answers, bodies }: Operation): AdminRoute {
  const name = `${method} ${path}`
  const permission = /Needs the permission `([a-z:-]+)`\./.exec(description)?.[1]
  if (permission === undefined) throw new Error(`the document does not say which permission ${name} needs`)
  const isFresh = description.includes('Needs a login in the last 15 minutes')
  const success = [...answers.keys()].filter((status) => status < 300)
  if (success.length !== 1) throw new Error(`${name} has no answer, or more than one, for who may do it`)
  return { name, method, path, permission, isFresh, success: success[0]!, answers, bodies }
}

/** Makes a new value for a parameter, such as the id of a user who exists. */
type Make = (app: TestApp, fresh: string) => Promise<string>

/** A user with an authenticator app. */
async function withFactor(app: TestApp, fresh: string): Promise<string> {
  const email = `${fresh}@example.com`
  const { id } = await app.admin.createUser({ email, username: fresh, password: 'correct horse battery' })
  await app.factors.addApp(id)
  return String(id)
}

/** The role that `{role}` names. It has no permission, so that everyone may grant it. */
export const spareRole = 'spare'

/**
 * Makes the value of a parameter. The key is the whole path of a route; otherwise the path up to and with the parameter.
 * A route with a new parameter needs an entry.
 */
const things: Record<string, Make> = {
  '/admin/users/{id}': async (app, fresh) => {
    const email = `${fresh}@example.com`
    const { id } = await app.admin.createUser({ email, username: fresh, password: 'correct horse battery' })
    return String(id)
  },
  '/admin/users/{id}/invitation': async (app, fresh) =>
    String((await app.admin.createUser({ email: `${fresh}@example.com`, username: fresh })).id),
  '/admin/users/{id}/roles/{role}': async () => spareRole,
  '/admin/users/{id}/factors': withFactor,
  '/admin/users/{id}/factor-recovery': withFactor,
  // Of the user who was made for the parameter before.
  '/admin/users/{id}/factors/{fid}': async (app) => {
    const { id } = (await app.rows.users.all()).at(-1)!
    return `t${(await app.factors.addApp(id)).id}`
  },
  '/admin/api-keys/{id}': async (app, fresh) => {
    const email = `${fresh}@example.com`
    const { id } = await app.admin.createUser({ email, username: fresh, password: 'correct horse battery' })
    const key = { ownerId: id, name: fresh, mac: fresh, scopes: 'users:read', createdAt: 0 }
    await app.rows.apiKeys.add(key)
    return String((await app.rows.apiKeys.one({ mac: fresh })).id)
  },
  '/admin/clients/{id}': async (app) => (await app.admin.createClient()).client.id,
  '/admin/clients/{id}/secrets/{sid}': async (app) => String((await app.rows.clientSecrets.all()).at(-1)!.id),
  '/admin/keys/{kid}': async (app) => (await app.rows.signingKeys.one({ state: 'next', alg: 'ES256' })).kid,
  '/admin/mail/{id}': async (app, fresh) => {
    const mail = {
      id: fresh,
      kind: 'test',
      recipient: `${fresh}@example.com`,
      locale: 'en',
      details: '{}',
      attempts: 1,
    }
    await app.rows.mails.add({ ...mail, state: 'dead', dueAt: 0, createdAt: 0, endedAt: app.clock.now() })
    return fresh
  },
  '/admin/providers/{name}': async (app, fresh) => {
    const row = { name: fresh, kind: 'github', label: 'GitHub', issuer: 'http://127.0.0.1:1', clientId: 'x' }
    const rules = { settings: '{}', trustsEmail: true, link: 'ask', signsUp: true, isEnabled: true }
    await app.rows.providers.add({ ...row, ...rules, sealedSecret: '', createdAt: 0, updatedAt: 0 })
    return fresh
  },
  '/admin/roles/{name}': async (app, fresh) => {
    await app.rows.roles.add({ name: fresh, description: '', permissions: '', createdAt: 0 })
    return fresh
  },
}

/**
 * Members that differ from the document's example: their value must be new, or every caller must be able to give it. A
 * key may begin with the path of the route.
 */
const newMembers: Record<string, (fresh: string) => unknown> = {
  name: (fresh) => `${fresh}-of-body`,
  permissions: () => [],
  now: () => true,
  scopes: () => ['api-keys:write'],
  '/admin/clients scopes': () => ['openid'],
  '/admin/clients/{id} scopes': () => ['openid'],
  email: (fresh) => `${fresh}-of-body@example.com`,
  username: (fresh) => `${fresh}-of-body`,
}

let made = 0

/**
 * Makes a request that the route grants to a caller who may do it: with objects that exist, and the body of the
 * document's example.
 * @param given values of parameters that are not made, as in `things`
 */
export async function requestFor(
  app: TestApp,
  { name, path, bodies }: AdminRoute,
  given: Record<string, string> = {},
): Promise<{ target: string; options: RequestOptions }> {
  const fresh = `thing${made++}`
  let target = ''
  for (const piece of path.split(/(?=\{)/)) {
    const [parameter] = /^\{\w+\}/.exec(piece) ?? []
    if (parameter === undefined) {
      target += piece
      continue
    }
    const upTo = path.slice(0, path.indexOf(parameter) + parameter.length)
    const whole = path.slice(upTo.length).includes('{') ? upTo : path
    const make = upTo in given ? async () => given[upTo]! : (things[whole] ?? things[upTo])
    if (!make) throw new Error(`${name}: add to "things" in routes.ts how a test makes ${upTo}`)
    target += (await make(app, fresh)) + piece.slice(parameter.length)
  }
  const members = bodies[0]?.members.filter(({ example }) => example !== undefined)
  if (!members) return { target, options: {} }
  const json = Object.fromEntries(
    members.map(({ name: member, example }) => {
      const make = newMembers[`${path} ${member}`] ?? newMembers[member]
      return [member, make?.(fresh) ?? example]
    }),
  )
  return { target, options: { json } }
}
