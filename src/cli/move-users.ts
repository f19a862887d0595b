import { withSecretKey } from '../config/dev-secret.ts'
import { retentionOf, rpIdOf, secretsOf } from '../config/parts.ts'
import type { DraftConfig } from '../config/schema.ts'
import { createAudit } from '../features/audit/audit.ts'
import { createExport, type Export } from '../features/export/export.ts'
import { createFactorImport } from '../features/factors/factors.ts'
import { createImport, type Import } from '../features/import/import.ts'
import { createRoles } from '../features/roles/roles.ts'
import { openSecrets } from '../features/secrets/secrets.ts'
import { createUsers } from '../features/users/users.ts'
import type { Clock } from '../lib/clock.ts'
import { createLog } from '../lib/log.ts'
import { openDatabase } from '../storage/database.ts'
import type { Store } from '../storage/store.ts'
import type { CommandContext } from './context.ts'

type Opened<Feature> = Promise<Feature & Pick<Store, 'close'>>

/**
 * Opens the feature `import`, which needs a database with the current schema, but no signing keys. It opens the secrets
 * only for the secrets of authenticator apps.
 * @throws MigrationError when the schema is not current, and the errors of `openDatabase`
 */
export async function openImport(
  settings: DraftConfig,
  { clock, random, printError: write }: Pick<CommandContext, 'clock' | 'random' | 'printError'>,
): Opened<Import> {
  const { store, users, audit } = await openUsers(settings, clock)
  const roles = createRoles({ store, clock, audit, users, adminRequiresSecondFactor: false })
  const factors = createFactorImport({
    store,
    clock,
    openSecrets: () => {
      const log = createLog({ level: 'warn', format: 'text', clock, write })
      const secrets = secretsOf(withSecretKey(settings, random).config)
      return openSecrets({ store, clock, random, log, audit, secrets })
    },
  })
  const needs = { clock, users, roles, audit, factors, rpId: rpIdOf(settings) }
  return { ...createImport(needs), close: () => store.close() }
}

/** Opens the feature `export`, with the same needs. @throws the errors of `openImport` */
export async function openExport(settings: DraftConfig, { clock }: { clock: Clock }): Opened<Export> {
  const { store, users, audit } = await openUsers(settings, clock)
  return { ...createExport({ store, clock, users, audit }), close: () => store.close() }
}

async function openUsers(settings: DraftConfig, clock: Clock) {
  const { store } = await openDatabase(settings, { clock, waitInside: true, bulk: true, schema: 'require' })
  const audit = createAudit({ store, clock, retention: retentionOf(settings) })
  return { store, audit, users: createUsers({ store, clock, macKeys: noMacKeys }) }
}

/** An import keeps the name of every account, so it compares none with the reserved names of deleted users. */
const noMacKeys = () => {
  throw new Error('Imports and exports have no keys of MACs')
}
