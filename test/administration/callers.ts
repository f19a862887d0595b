import type { ErrorCode } from '../../src/errors.ts'
import { permissions } from '../../src/features/roles/permissions.ts'
import { MINUTE } from '../../src/lib/clock.ts'
import { loggedIn, refreshed } from '../sessions/support.ts'
import type { TestApp } from '../support/app.ts'
import type { AdminRoute } from './routes.ts'
import { type Person, person, tokenOf } from './support.ts'

/** A kind of caller. */
export interface Caller {
  kind: string
  token: string | undefined
  /** The code of the refusal; undefined for a caller who may do it. */
  refusal(route: AdminRoute): ErrorCode | undefined
  /** True when the refusal comes from the use case, behind the check of the body. */
  isLate: boolean
}

type Judge = (route: AdminRoute) => ErrorCode | undefined

const always =
  (code: ErrorCode): Judge =>
  () =>
    code
const never: Judge = () => undefined
/** One may do what needs these permissions. */
const holding =
  (held: readonly string[]): Judge =>
  ({ permission }) =>
    held.includes(permission) ? undefined : 'forbidden'
/** A person whose last login is no longer fresh. */
const stale =
  (judge: Judge): Judge =>
  (route) =>
    judge(route) ?? (route.isFresh ? 'reauthentication_required' : undefined)
/** An API key with these scopes. It is refused on every route that needs a fresh login. */
const keyFor =
  (held: readonly string[]): Judge =>
  (route) =>
    route.isFresh ? 'forbidden' : holding(held)(route)

/** Every kind of caller, each of whom has used the credential once. Advances the clock by an hour. */
export async function everyCaller(app: TestApp): Promise<Caller[]> {
  const callers: Caller[] = []
  const add = (kind: string, token: string | undefined, refusal: Judge, { isLate = false } = {}) =>
    callers.push({ kind, token, refusal, isLate })
  const key = async (owner: Person, scopes: readonly string[], more = {}) =>
    app.admin.createApiKey({ owner: owner.id, scopes, ...more })

  const boss = await person(app, 'boss', 'admin')
  const single = new Map<string, Person>()
  for (const word of permissions) single.set(word, await person(app, `only-${word.replace(':', '-')}`, word))
  add('an expired token', boss.token, always('invalid_token'))
  await app.clock.advance(44 * MINUTE)

  const late = { isLate: true }
  const old = await loggedIn(app, boss)
  add('an administrator, 16 minutes after the login', old.access_token, stale(never), late)
  const { refresh_token: toRefresh } = await loggedIn(app, boss)
  for (const [word, holder] of single)
    add(`a holder of ${word}, 16 minutes after the login`, await tokenOf(app, holder), stale(holding([word])), late)
  await app.clock.advance(16 * MINUTE)
  const renewed = await refreshed(app, toRefresh)
  add('an administrator, 16 minutes after the login and after a refresh', renewed.access_token, stale(never), late)

  const token = await tokenOf(app, boss)
  add('nobody', undefined, always('not_authenticated'))
  add('a text that is no token', 'not.a.token', always('invalid_token'))
  add('an altered token', `${token.slice(0, -4)}AAAA`, always('invalid_token'))
  add('a refresh token', renewed.refresh_token, always('invalid_token'))
  const asked = await app.request('GET', '/forward-auth?token=1', { token })
  add('a token for services', asked.headers.get('x-auth-request-access-token') ?? '', always('invalid_token'))
  const ended = await tokenOf(app, boss)
  await app.request('POST', '/logout', { token: ended })
  add('an administrator who logged out', ended, always('invalid_token'))

  add('a user', (await person(app, 'plain')).token, always('forbidden'))
  for (const [word, holder] of single) add(`a holder of ${word}`, await tokenOf(app, holder), holding([word]))
  for (const word of permissions) {
    const others = permissions.filter((one) => one !== word)
    const { token: rest } = await person(app, `all-but-${word.replace(':', '-')}`, others.join(' '))
    add(`a holder of all but ${word}`, rest, holding(others))
    add(`a key with all scopes but ${word}`, (await key(boss, others)).text, keyFor(others))
    add(`a key with the scope ${word}`, (await key(boss, [word])).text, keyFor([word]))
  }

  const [former, demoted, gone] = [
    await person(app, 'former', 'admin'),
    await person(app, 'demoted', 'admin'),
    await person(app, 'gone', 'admin'),
  ]
  add('a deactivated administrator', former.token, always('invalid_token'))
  add('a key of a deactivated administrator', (await key(former, permissions)).text, always('invalid_token'))
  add('an administrator demoted a moment ago', demoted.token, always('forbidden'))
  add('a key of an administrator demoted a moment ago', (await key(demoted, permissions)).text, always('forbidden'))
  add('a deleted administrator', gone.token, always('invalid_token'))
  add('a key of a deleted administrator', (await key(gone, permissions)).text, always('invalid_token'))
  const revoked = await key(boss, permissions)
  add('a revoked key', revoked.text, always('invalid_token'))
  const soon = await key(boss, permissions, { expiresAt: app.clock.now() + MINUTE })
  add('an expired key', soon.text, always('invalid_token'))
  await app.clock.advance(MINUTE)
  await useOnce(app, callers)
  const byBoss = { token }
  await app.admin.revokeApiKey(revoked.id)
  await app.request('PATCH', `/admin/users/${former.id}`, { ...byBoss, json: { is_active: false } })
  await app.request('DELETE', `/admin/users/${demoted.id}/roles/admin`, byBoss)
  await app.request('DELETE', `/admin/users/${gone.id}`, byBoss)
  add('an administrator', token, never)
  return callers
}

/** The first use of a token and of a key is recorded, and is no change of the requests that follow. */
async function useOnce(app: TestApp, callers: readonly Caller[]): Promise<void> {
  for (const { token } of callers)
    if (token !== undefined) for (const path of ['/users/me', '/admin/users']) await app.request('GET', path, { token })
}
