import { defineCommand } from 'citty'
import type { Administration } from '../../features/administration/administration.ts'
import { toAuditEventView } from '../../features/administration/schemas.ts'
import { type AuditRow, auditEvents, isAuditEvent } from '../../features/audit/audit.ts'
import { DAY, rfc3339 } from '../../lib/clock.ts'
import { printable } from '../../lib/printable.ts'
import { flag, option, wholeNumber } from '../arguments.ts'
import { type CommandContext, UsageError } from '../context.ts'
import { serviceCommand } from '../service-command.ts'

const HIGHEST = 9_999_999

export const audit = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'audit', description: 'Read the audit log' },
    subCommands: { list: list(context) },
  })

const listArgs = {
  event: option('EVENT', 'Only events of this name, such as login.failed'),
  user: option('USER', 'Only events of this user: username, email address or id'),
  days: option('N', 'Only events of the last N days'),
  limit: { ...option('N', 'At most this many events'), default: '100' },
  json: flag('Print one JSON object per line'),
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    { name: 'list', description: 'List audit events, newest first', args: listArgs },
    async ({ administration, audit, clock }, { event, user, days, limit, json }) => {
      if (event !== undefined && !isAuditEvent(event))
        throw new UsageError(`There is no event of this name. Events: ${auditEvents.join(', ')}`)
      const rows = await audit.list({
        event,
        userId: user === undefined ? undefined : await userId(administration, user),
        since: days === undefined ? undefined : clock.now() - wholeNumber('--days', days, HIGHEST) * DAY,
        limit: wholeNumber('--limit', limit, HIGHEST),
      })
      for (const row of rows) context.print(`${json ? JSON.stringify(toAuditEventView(row)) : summary(row)}\n`)
    },
  )

/**
 * Returns the id of a user. When `user` is an id, it is not looked up, because audit events are kept after their user
 * is deleted.
 */
const userId = async (administration: Administration, user: string): Promise<number> =>
  /^\d{1,15}$/.test(user) ? Number(user) : (await administration.requireUser(user)).id

const summary = (row: AuditRow): string =>
  [
    rfc3339(row.at),
    row.event.padEnd(28),
    row.userId === null ? '' : `user=${row.userId}`,
    row.actorId === null ? '' : `by=${row.actorId}`,
    row.ip ?? '',
    printable(row.details ?? ''),
  ]
    .filter(Boolean)
    .join('  ')
