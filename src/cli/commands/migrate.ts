import { defineCommand } from 'citty'
import { rfc3339 } from '../../lib/clock.ts'
import { openDatabase } from '../../service.ts'
import { embeddedMigrations, migrate as migrateDatabase, migrationStates } from '../../storage/migrate.ts'
import type { CommandContext } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

export const migrate = (context: CommandContext) => {
  const up = defineCommand({
    meta: {
      name: 'up',
      description: 'Bring the database to this version’s schema; an SQLite file is copied aside first',
    },
    args: settingsArgs,
    async run({ args }) {
      const { store, driver } = await openDatabase(readSettings(context, args), { waitInside: true })
      try {
        const { applied, copy } = await migrateDatabase(driver, embeddedMigrations(store.dialect), context.clock)
        if (copy !== undefined) context.print(`The database as it was: ${copy}\n`)
        context.print(
          applied.length === 0 ? 'Nothing to do\n' : `${applied.map((name) => `Applied ${name}`).join('\n')}\n`,
        )
      } finally {
        await store.close()
      }
    },
  })
  const status = defineCommand({
    meta: { name: 'status', description: 'Say which migrations are applied; changes nothing' },
    args: settingsArgs,
    async run({ args }) {
      const { store, driver } = await openDatabase(readSettings(context, args), { inspect: true, waitInside: true })
      try {
        for (const { name, appliedAt } of await migrationStates(driver, embeddedMigrations(store.dialect)))
          context.print(`${name}  ${appliedAt === undefined ? 'pending' : `applied ${rfc3339(appliedAt)}`}\n`)
      } finally {
        await store.close()
      }
    },
  })
  return defineCommand({
    meta: { name: 'migrate', description: 'Look after the database schema; keyward serve does `up` by itself' },
    subCommands: { up, status },
    default: 'up',
  })
}
