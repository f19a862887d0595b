import { defineCommand } from 'citty'
import { rfc3339 } from '../../lib/clock.ts'
import { openDatabase } from '../../storage/database.ts'
import { describePending, embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import type { CommandContext } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

export const migrate = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'migrate', description: 'Upgrade the database or show its state; keyward serve upgrades it too' },
    subCommands: { up: up(context), status: status(context) },
  })

const up = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'up', description: 'Upgrade the database to this version; an SQLite file is copied first' },
    args: settingsArgs,
    async run({ args }) {
      const { clock, print } = context
      const { store, upgrade } = await openDatabase(readSettings(context, args), { clock, waitInside: true })
      await store.close()
      if (upgrade.copy !== undefined) print(`Copy of the database before the upgrade: ${upgrade.copy}\n`)
      for (const name of upgrade.applied) print(`Applied ${name}\n`)
      if (upgrade.applied.length === 0) print('Nothing to do\n')
    },
  })

const status = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'status', description: 'List migrations and whether they are applied' },
    args: settingsArgs,
    async run({ args }) {
      const { clock, print } = context
      const options = { clock, schema: 'ignore', waitInside: true } as const
      const { store, driver } = await openDatabase(readSettings(context, args), options)
      try {
        const states = await migrationStates(driver, embeddedMigrations(store.dialect))
        for (const { name, appliedAt } of states)
          print(`${name}  ${appliedAt === undefined ? 'pending' : `applied ${rfc3339(appliedAt)}`}\n`)
        const problem = describePending(states)
        if (problem !== undefined) print(`${problem}\n`)
      } finally {
        await store.close()
      }
    },
  })
