import { defineCommand } from 'citty'
import type { DraftConfig } from '../../config/schema.ts'
import { forgetAllTrusted, useUpCodes } from '../../features/factors/factors.ts'
import { restoreLine } from '../../lib/postgres-tools.ts'
import { openDatabase } from '../../storage/database.ts'
import { restoreFile } from '../../storage/sqlite-backup.ts'
import { positional } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { backupArgs, hintForPostgres, requireSqliteFile, sizeOf } from '../database-copy.ts'
import { exitsWithProgram } from '../exit-codes.ts'
import { readSettings } from '../settings.ts'

export const restore = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'restore',
      description: 'Check a backup and make it the SQLite database, where there is none; stop the server first',
      examples: ['restore /var/backups/keyward.db'],
      exits: exitsWithProgram,
    },
    args: { file: positional('FILE', 'The backup; it is only read'), ...backupArgs },
    async run({ args }) {
      const settings = readSettings(context, args)
      const { DATABASE_URL: database } = settings
      if (database.dialect === 'postgresql')
        return hintForPostgres(context, {
          line: restoreLine(database, args.file),
          advice: FOR_POSTGRES,
          json: args.json === true,
        })
      const { bytes, migration, pending } = await restoreFile(args.file, requireSqliteFile(database))
      // A backup of an older version has no such codes, or is upgraded first; "sessions end --all" uses them up, too.
      if (pending === 0) await voidFactorsOfBackup(settings, context)
      if (args.json === true)
        return context.print(
          `${JSON.stringify({ file: database.path, bytes, migration, pending_migrations: pending })}\n`,
        )
      context.print(`Checked ${args.file} (${sizeOf(bytes)}) and restored it to ${database.path}.\n`)
      context.print(`${pending > 0 ? UPGRADE : ''}${END_SESSIONS}`)
    },
  })

/** See `useUpCodes` and `forgetAllTrusted`. */
async function voidFactorsOfBackup(settings: DraftConfig, { clock }: CommandContext): Promise<void> {
  const { store } = await openDatabase(settings, { clock, waitInside: true, schema: 'require' })
  try {
    await useUpCodes({ store, clock })
    await forgetAllTrusted({ store })
  } finally {
    await store.close()
  }
}

const UPGRADE = 'The backup is from an older version of Keyward. Upgrade it first: keyward migrate up\n'

const END_SESSIONS = `Before you start the server, end the sessions of the backup: keyward sessions end --all
Sessions that were ended since the backup, and refresh tokens that were used since, are valid again until you do.
`

const FOR_POSTGRES =
  'Stop all processes of Keyward before it, and end the sessions of the backup after it: keyward sessions end --all'
