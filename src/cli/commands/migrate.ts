import { defineCommand } from 'citty'
import { rfc3339 } from '../../lib/clock.ts'
import { openDatabase } from '../../storage/database.ts'
import { describePending, embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import type { CommandContext } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

export const migrate = (context: CommandContext) => {
  const up = defineCommand({
    meta: { name: 'up', description: 'Upgrade the database to this version; an SQLite file is copied first' },
    args: settingsArgs,
    async run({ args }) {
      const { clock } = context
      const { store, upgrade } = await openDatabase(readSettings(context, args), { clock, waitInside: true })
      await store.close()
      const { applied, copy } = upgrade
      if (copy !== undefined) context.print(`Copy of the old database: ${copy}\n`)
      context.print(
        applied.length === 0 ? 'Nothing to do\n' : `${applied.map((name) => `Applied ${name}`).join('\n')}\n`,
      )
    },
  })
  const status = defineCommand({
    meta: { name: 'status', description: 'List migrations and whether they are applied' },
    args: settingsArgs,
    async run({ args }) {
      const options = { clock: context.clock, schema: 'ignore', waitInside: true } as const
      const { store, driver } = await openDatabase(readSettings(context, args), options)
      try {
        const states = await migrationStates(driver, embeddedMigrations(store.dialect))
        for (const { name, appliedAt } of states)
          context.print(`${name}  ${appliedAt === undefined ? 'pending' : `applied ${rfc3339(appliedAt)}`}\n`)
        const problem = describePending(states)
        if (problem !== undefined) context.print(`${problem}\n`)
      } finally {
        await store.close()
      }
    },
  })
  return defineCommand({
    meta: { name: 'migrate', description: 'Upgrade the database, or show its state; keyward serve upgrades by itself' },
    subCommands: { up, status },
    default: 'up',
  })
}
