import { defineCommand } from 'citty'
import { dumpLine } from '../../lib/postgres-tools.ts'
import { backUpFile } from '../../storage/sqlite-backup.ts'
import { positional } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { backupArgs, hintForPostgres, requireSqliteFile, sizeOf } from '../database-copy.ts'
import { exitsWithProgram } from '../exit-codes.ts'
import { readSettings } from '../settings.ts'

export const backup = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'backup',
      description: 'Copy the SQLite database to a new file and check the copy, also while a server runs',
      examples: ['backup /var/backups/keyward.db'],
      exits: exitsWithProgram,
    },
    args: { file: positional('FILE', 'The new file; an existing file is not overwritten'), ...backupArgs },
    async run({ args }) {
      const { DATABASE_URL: database } = readSettings(context, args)
      if (database.dialect === 'postgresql')
        return hintForPostgres(context, {
          line: dumpLine(database, args.file),
          advice: PRIVATE,
          json: args.json === true,
        })
      const { bytes, migration } = await backUpFile(requireSqliteFile(database), args.file)
      if (args.json === true) return context.print(`${JSON.stringify({ file: args.file, bytes, migration })}\n`)
      context.print(`Backed up ${database.path} to ${args.file} (${sizeOf(bytes)}), and checked the copy.\n`)
      context.print('Keep SECRET_KEY too, at another place: the backup is useless without it.\n')
    },
  })

const PRIVATE = 'Run "umask 077" before it, so that nobody else can read the dump.'
