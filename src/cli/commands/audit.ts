import { defineCommand } from 'citty'
import type { Administration } from '../../features/administration/administration.ts'
import { toAuditEventView } from '../../features/administration/schemas.ts'
import { type AuditRow, auditEvents } from '../../features/audit/audit.ts'
import { DAY } from '../../lib/clock.ts'
import { choice, jsonLinesFlag, option, wholeNumber } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { serviceCommand } from '../service-command.ts'
import { type Column, printList, timeText } from '../table.ts'
import { idOf } from '../user-argument.ts'

const HIGHEST = 9_999_999

export const audit = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'audit', description: 'Read the audit log' },
    subCommands: { list: list(context) },
  })

const listArgs = {
  event: choice('EVENT', auditEvents, 'Only events of this name, such as login.failed'),
  user: option('USER', 'Only events of this user: username, email address, id or id:N'),
  days: option('N', 'Only events of the last N days'),
  limit: { ...option('N', 'At most this many events'), default: '100' },
  json: jsonLinesFlag,
}

const list = (context: CommandContext) =>
  serviceCommand(
    context,
    {
      name: 'list',
      description: 'List audit events, newest first',
      examples: ['audit list --user ada --days 7', 'audit list --event login.failed --limit 1000 --json'],
      args: listArgs,
    },
    async ({ administration, audit, clock }, { event, user, days, limit, json }) => {
      const rows = await audit.list({
        ...(event !== undefined && { event }),
        userId: user === undefined ? undefined : await userId(administration, user),
        since: days === undefined ? undefined : clock.now() - wholeNumber('--days', days, HIGHEST) * DAY,
        limit: wholeNumber('--limit', limit, HIGHEST),
      })
      printList(context, rows, { json, columns, view: toAuditEventView })
    },
  )

/**
 * Returns the id of a user. When `user` is an id, it is not looked up, because audit events are kept after their user
 * is deleted.
 */
async function userId(administration: Administration, user: string): Promise<number> {
  if (/^\d{1,15}$/.test(user)) return Number(user)
  return idOf(user) ?? (await administration.requireUser(user)).id
}

const isRefusal = ({ event }: AuditRow): boolean => /failed|refused|reused|exceeded/.test(event)

const columns: Column<AuditRow>[] = [
  { head: 'TIME', text: ({ at }) => timeText(at) },
  { head: 'EVENT', text: ({ event }) => event, colour: (row) => (isRefusal(row) ? 'yellow' : undefined) },
  { head: 'USER', text: ({ userId }) => userId, align: 'right' },
  { head: 'BY', text: ({ actorId }) => actorId, align: 'right' },
  { head: 'ADDRESS', text: ({ ip }) => ip },
  { head: 'DETAILS', text: ({ details }) => details },
]
