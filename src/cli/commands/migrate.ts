import { defineCommand } from 'citty'
import { rfc3339 } from '../../lib/clock.ts'
import { openDatabase } from '../../storage/database.ts'
import { describePending, embeddedMigrations, migrationStates } from '../../storage/migrate.ts'
import { jsonFlag } from '../arguments.ts'
import type { CommandContext } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'
import { printJson, printList, timeText } from '../table.ts'

export const migrate = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'migrate', description: 'Upgrade the database or show its state; keyward serve upgrades it too' },
    subCommands: { up: up(context), status: status(context) },
  })

const args = { json: jsonFlag, ...settingsArgs }

const up = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'up',
      description: 'Upgrade the database to this version; an SQLite file is copied first',
      examples: ['migrate up --env-file /etc/keyward.env'],
    },
    args,
    async run({ args }) {
      const { clock, print } = context
      const { store, upgrade } = await openDatabase(readSettings(context, args), { clock, waitInside: true })
      await store.close()
      const { applied, copy } = upgrade
      if (args.json === true) return printJson(context, { applied, copy: copy ?? null })
      if (copy !== undefined) print(`Copy of the database before the upgrade: ${copy}\n`)
      for (const name of applied) print(`Applied ${name}\n`)
      if (applied.length === 0) print('Nothing to do\n')
    },
  })

const status = (context: CommandContext) =>
  defineCommand({
    meta: {
      name: 'status',
      description: 'List migrations and whether they are applied',
      examples: ['migrate status', 'migrate status --json'],
    },
    args,
    async run({ args }) {
      const { clock, print } = context
      const options = { clock, schema: 'ignore', waitInside: true } as const
      const { store, driver } = await openDatabase(readSettings(context, args), options)
      try {
        const states = await migrationStates(driver, embeddedMigrations(store.dialect))
        printList(context, states, {
          json: args.json,
          columns: [
            { head: 'MIGRATION', text: ({ name }) => name },
            {
              head: 'APPLIED',
              text: ({ appliedAt }) => timeText(appliedAt ?? null) ?? 'pending',
              colour: ({ appliedAt }) => (appliedAt === undefined ? 'yellow' : undefined),
            },
          ],
          view: ({ name, appliedAt }) => ({ name, applied_at: appliedAt === undefined ? null : rfc3339(appliedAt) }),
        })
        const problem = describePending(states)
        if (problem !== undefined && args.json !== true) print(`${problem}\n`)
      } finally {
        await store.close()
      }
    },
  })
