import type { SessionCaller } from '../sessions/sessions.ts'
import type { AccountsNeeds } from './accounts.ts'

/* What a session with one factor must not do once a rule wants a second factor and the grace period is over. */

/** See `Accounts.needsMailedCode`. */
export async function needsMailedCode(needs: AccountsNeeds, caller: SessionCaller): Promise<boolean> {
  return (await findWaiting(needs, caller)) !== undefined
}

/** See `Accounts.requireMailedCode`. */
export async function requireMailedCode(
  needs: AccountsNeeds,
  caller: SessionCaller,
  { ip }: { ip: string },
): Promise<void> {
  const waiting = await findWaiting(needs, caller)
  if (!waiting) return
  const { user } = caller
  const { amr, browser } = waiting
  await needs.sessions.requireSession({ due: 'enrollment', user, amr, ip, methods: [], ...(browser && { browser }) })
}

/** @returns how the session began, when the code of a mail is needed; otherwise undefined */
async function findWaiting({ factors, mails, sessions, users }: AccountsNeeds, caller: SessionCaller) {
  if (!mails.isOn) return undefined
  const checks = await sessions.findChecks(caller)
  const amr = checks?.amr.split(' ') ?? []
  if (amr.includes('email')) return undefined
  // Read again: the caller's user has only the roles that count at the level of the session.
  const user = await users.find(caller.userId)
  if (!user || !(await factors.isOverdue(user))) return undefined
  return { amr, ...(checks?.kind === 'browser' && { browser: { isRemembered: checks.isRemembered } }) }
}
