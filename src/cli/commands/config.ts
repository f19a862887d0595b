import { defineCommand } from 'citty'
import { maskedConfig } from '../../config/print.ts'
import type { CommandContext } from '../context.ts'
import { readSettings, settingsArgs } from '../settings.ts'

export const config = (context: CommandContext) =>
  defineCommand({
    meta: { name: 'config', description: 'Check the configuration and print it, secrets masked' },
    args: settingsArgs,
    run: ({ args }) => context.print(`${maskedConfig(readSettings(context, args)).join('\n')}\n`),
  })
