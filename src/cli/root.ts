import { type CommandDef, defineCommand } from 'citty'
import { serve } from './commands/serve.ts'
import type { CommandContext } from './context.ts'
import type { Group } from './tree.ts'

/**
 * Makes the tree of all commands. Commands other than `serve` are loaded on demand, so that the start of a server does
 * not evaluate their code.
 */
export function rootCommand(context: CommandContext): Group {
  const server = serve(context) as CommandDef
  const signingKeys = async () => (await import('./commands/signing-keys.ts')).signingKeys(context)
  const root: CommandDef = defineCommand({
    meta: { name: 'keyward', version: context.version, description: 'User authentication in one executable' },
    subCommands: {
      serve: server,
      config: async () => (await import('./commands/config.ts')).config(context),
      migrate: async () => (await import('./commands/migrate.ts')).migrate(context),
      healthcheck: async () => (await import('./commands/healthcheck.ts')).healthcheck(context),
      doctor: async () => (await import('./commands/doctor.ts')).doctor(context),
      import: async () => (await import('./commands/import.ts')).importCommand(context),
      export: async () => (await import('./commands/export.ts')).exportCommand(context),
      backup: async () => (await import('./commands/backup.ts')).backup(context),
      restore: async () => (await import('./commands/restore.ts')).restore(context),
      copy: async () => (await import('./commands/copy.ts')).copy(context),
      users: async () => (await import('./commands/users.ts')).users(context),
      roles: async () => (await import('./commands/roles.ts')).roles(context),
      sessions: async () => (await import('./commands/sessions.ts')).sessions(context),
      apikeys: async () => (await import('./commands/apikeys.ts')).apikeys(context),
      providers: async () => (await import('./commands/providers.ts')).providers(context),
      clients: async () => (await import('./commands/clients.ts')).clients(context),
      apply: async () => (await import('./commands/apply.ts')).apply(context),
      audit: async () => (await import('./commands/audit.ts')).audit(context),
      limits: async () => (await import('./commands/limits.ts')).limits(context),
      mail: async () => (await import('./commands/mail.ts')).mail(context),
      'signing-keys': signingKeys,
      keys: signingKeys,
      completion: async () => (await import('./commands/completion.ts')).completion(context, () => root),
      secrets: async () => (await import('./commands/secrets.ts')).secrets(context),
    },
    default: 'serve',
  }) as CommandDef
  return root as Group
}
