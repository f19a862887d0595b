import { invalidField, KeywardError } from '../../errors.ts'
import type { Deps } from '../../service.ts'
import { register } from '../accounts/register.ts'
import { forgetUser, record } from '../audit/audit.ts'
import { checkPassword } from '../passwords/policy.ts'
import { keepAnAdmin } from '../roles/assign.ts'
import { endAllSessions } from '../sessions/end.ts'
import { findUser, findUserByName } from '../users/find.ts'
import { deleteUser, setActive, setPasswordHash } from '../users/update.ts'
import type { User } from '../users/user.ts'

type ManageDeps = Pick<Deps, 'store' | 'clock' | 'config' | 'passwords' | 'limits'>

/**
 * Makes an account for somebody, with a name that nobody may register too.
 * @throws KeywardError as `register`
 */
export async function createAccount(
  deps: ManageDeps,
  account: { email: string; username: string; password: string; admin: boolean },
): Promise<User> {
  const user = await register(deps, { ...account, byAdmin: true })
  return (await findUser(deps, user.id))!
}

/**
 * The account that a name or address stands for.
 * @throws KeywardError `user_not_found`
 */
export async function requireUser(deps: Pick<Deps, 'store'>, identifier: string): Promise<User> {
  const user = await findUserByName(deps, identifier)
  if (!user) throw new KeywardError('user_not_found')
  return user
}

/**
 * Sets a password without knowing the former one. All sessions end, and no device counts as known any more.
 * @throws KeywardError `validation_failed`, `user_not_found`
 */
export async function setPassword(deps: ManageDeps, user: User, password: string): Promise<void> {
  const { email, username } = user
  const weakness = checkPassword(password, { email, username, minLength: deps.config.PASSWORD_MIN_LENGTH })
  if (weakness) throw invalidField('password', weakness)
  const { hash, scheme } = await deps.passwords.hash(password)
  await deps.store.transaction(async () => {
    if (!(await setPasswordHash(deps, { id: user.id, hash, scheme }))) throw new KeywardError('user_not_found')
    await endAllSessions(deps, { userId: user.id, reason: 'password_set_by_admin' })
    await record(deps, { event: 'password.set_by_admin', userId: user.id })
  })
}

/**
 * Closes an account: every session and token of it is dead at once and stays dead when it is opened again.
 * @throws KeywardError `last_admin`
 */
export async function deactivate(deps: ManageDeps, { id }: User): Promise<void> {
  await deps.store.transaction(async () => {
    const user = await keepAnAdmin(deps, id)
    if (!user?.isActive) return
    await setActive(deps, { id, isActive: false })
    await endAllSessions(deps, { userId: id, reason: 'deactivated' })
    await record(deps, { event: 'user.deactivated', userId: id })
  })
}

/** Opens a closed account; its user logs in anew. */
export async function activate(deps: ManageDeps, { id }: User): Promise<void> {
  await deps.store.transaction(async () => {
    if (await setActive(deps, { id, isActive: true })) await record(deps, { event: 'user.activated', userId: id })
  })
}

/**
 * Deletes an account and all that is stored about the person; audit rows keep its number, which is never given again.
 * @throws KeywardError `last_admin`
 */
export async function deleteAccount(deps: ManageDeps, { id }: User): Promise<void> {
  await deps.store.transaction(async () => {
    if (!(await keepAnAdmin(deps, id))) return
    await deleteUser(deps, id)
    await forgetUser(deps, id)
    await record(deps, { event: 'user.deleted', userId: id })
  })
}
