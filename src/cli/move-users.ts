import { retentionOf } from '../config/parts.ts'
import type { DraftConfig } from '../config/schema.ts'
import { createAudit } from '../features/audit/audit.ts'
import { createExport, type Export } from '../features/export/export.ts'
import { createImport, type Import } from '../features/import/import.ts'
import { createRoles } from '../features/roles/roles.ts'
import { createUsers } from '../features/users/users.ts'
import type { Clock } from '../lib/clock.ts'
import { openDatabase } from '../storage/database.ts'
import type { Store } from '../storage/store.ts'

type Opened<Feature> = Promise<Feature & Pick<Store, 'close'>>

/**
 * Opens the feature `import`, which needs a database with the current schema, but no SECRET_KEY and no signing keys.
 * @throws MigrationError when the schema is not current, and the errors of `openDatabase`
 */
export async function openImport(settings: DraftConfig, { clock }: { clock: Clock }): Opened<Import> {
  const { store, users, audit } = await openUsers(settings, clock)
  const roles = createRoles({ store, clock, audit, users, adminRequiresSecondFactor: false })
  return { ...createImport({ clock, users, roles, audit }), close: () => store.close() }
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
