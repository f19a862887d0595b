import { defineCommand } from 'citty'
import { requireUser } from '../../features/administration/administration.ts'
import { type AuditRow, auditEvents, isAuditEvent } from '../../features/audit/events.ts'
import { listEvents } from '../../features/audit/query.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { withDeps } from '../database.ts'
import { settingsArgs } from '../settings.ts'

export const audit = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'audit', description: 'Read the audit log' },
    subCommands: { list: list(context) },
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List what happened, the newest first' },
    args: {
      event: { type: 'string', description: 'Only this kind, such as login.failed', valueHint: 'EVENT' },
      user: {
        type: 'string',
        description: 'Only of this account: username, email address or number',
        valueHint: 'USER',
      },
      days: { type: 'string', description: 'Only of the last so many days', valueHint: 'N' },
      limit: { type: 'string', description: 'How many rows at most (100)', default: '100', valueHint: 'N' },
      json: { type: 'boolean', description: 'One JSON object a line' },
      ...settingsArgs,
    },
    run: ({ args }) => {
      const { event } = args
      if (event !== undefined && !isAuditEvent(event))
        throw new UsageError(`There is no event of this name; there are ${auditEvents.join(', ')}`)
      const days = args.days === undefined ? undefined : wholeNumber('--days', args.days)
      const limit = wholeNumber('--limit', args.limit)
      return withDeps(context, args, async (deps) => {
        const rows = await listEvents(deps, {
          event,
          userId: args.user === undefined ? undefined : await userId(deps, args.user),
          since: days === undefined ? undefined : deps.clock.now() - days * DAY,
          limit,
        })
        for (const row of rows) context.print(`${args.json ? JSON.stringify(toJson(row)) : summary(row)}\n`)
      })
    },
  })

/** A number is taken as it is: audit rows outlive their accounts. */
const userId = async (deps: Parameters<typeof requireUser>[0], user: string): Promise<number> =>
  /^\d{1,15}$/.test(user) ? Number(user) : (await requireUser(deps, user)).id

function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`${flag} takes a whole number from 1 to 9999999`)
  return Number(text)
}

const toJson = (row: AuditRow) => ({
  id: row.id,
  at: rfc3339(row.at),
  event: row.event,
  user_id: row.userId,
  actor_id: row.actorId,
  session_id: row.sessionId,
  ip: row.ip,
  details: row.details === null ? null : (JSON.parse(row.details) as unknown),
})

const summary = (row: AuditRow): string =>
  [
    rfc3339(row.at),
    row.event.padEnd(28),
    row.userId === null ? '' : `user=${row.userId}`,
    row.actorId === null ? '' : `by=${row.actorId}`,
    row.ip ?? '',
    row.details ?? '',
  ]
    .filter(Boolean)
    .join('  ')
