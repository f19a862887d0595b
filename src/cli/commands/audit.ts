import { defineCommand } from 'citty'
import type { Administration } from '../../features/administration/administration.ts'
import { type AuditRow, auditEvents, isAuditEvent } from '../../features/audit/audit.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { settingsArgs } from '../settings.ts'
import { withService } from '../with-service.ts'

export const audit = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'audit', description: 'Read the audit log' },
    subCommands: { list: list(context) },
  })

const list = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'list', description: 'List audit events, newest first' },
    args: {
      event: { type: 'string', description: 'Only events of this name, such as login.failed', valueHint: 'EVENT' },
      user: {
        type: 'string',
        description: 'Only events of this user: username, email address or id',
        valueHint: 'USER',
      },
      days: { type: 'string', description: 'Only events of the last N days', valueHint: 'N' },
      limit: { type: 'string', description: 'At most this many events', default: '100', valueHint: 'N' },
      json: { type: 'boolean', description: 'Print one JSON object per line' },
      ...settingsArgs,
    },
    run: ({ args }) => {
      const { event } = args
      if (event !== undefined && !isAuditEvent(event))
        throw new UsageError(`Unknown event. There are: ${auditEvents.join(', ')}`)
      const days = args.days === undefined ? undefined : wholeNumber('--days', args.days)
      const limit = wholeNumber('--limit', args.limit)
      return withService(context, args, async (service) => {
        const rows = await service.audit.list({
          event,
          userId: args.user === undefined ? undefined : await userId(service.administration, args.user),
          since: days === undefined ? undefined : service.clock.now() - days * DAY,
          limit,
        })
        for (const row of rows) context.print(`${args.json ? JSON.stringify(toJson(row)) : summary(row)}\n`)
      })
    },
  })

/** A number is used as an id without a lookup: audit events outlive their user. */
const userId = async (administration: Administration, user: string): Promise<number> =>
  /^\d{1,15}$/.test(user) ? Number(user) : (await administration.requireUser(user)).id

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
