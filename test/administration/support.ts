import { expect } from 'bun:test'
import { loggedIn } from '../sessions/support.ts'
import type { SignedUp, TestApp } from '../support/app.ts'

export const password = 'correct horse battery'

export interface Person extends SignedUp {
  token: string
}

/** Signs a user up, with a role that has just these permissions, or with the role `admin`. */
export async function person(app: TestApp, username: string, permissions?: string): Promise<Person> {
  const user = await app.signUp(username, password)
  if (permissions === 'admin') await app.admin.giveRole(user.id, 'admin')
  else if (permissions !== undefined) {
    const name = `role-of-${username}`
    await app.rows.roles.add({ name, description: '', permissions, createdAt: 0 })
    await app.admin.giveRole(user.id, name)
  }
  return { ...user, token: user.grant.access_token }
}

export const tokenOf = async (app: TestApp, { username }: Pick<Person, 'username'>): Promise<string> =>
  (await loggedIn(app, { username, password })).access_token

export async function answered<T>(response: Promise<Response>, status = 200): Promise<T> {
  const answer = await response
  const body = (await answer.json()) as T
  expect([answer.status, body]).toEqual([status, body])
  return body
}

export interface Page<Item = { id: number; username: string }> {
  items: Item[]
  next_cursor: string | null
}

/** The audit events with an actor, without id and time. */
export async function acts(app: TestApp) {
  const rows = await app.rows.auditEvents.all()
  return rows
    .filter(({ actorId }) => actorId !== null)
    .map(({ event, userId, actorId, ip, details }) => ({
      event,
      userId,
      actorId,
      ip,
      details: details === null ? null : (JSON.parse(details) as Record<string, unknown>),
    }))
}
