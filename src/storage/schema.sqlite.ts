// Only drizzle-kit reads this file. drizzle-kit needs every table as an export of a module.
import { sqliteColumns } from './columns.ts'
import { allTables } from './tables/all.ts'

export const {
  users,
  reservedAddresses,
  reservedNames,
  sessions,
  devices,
  signingKeys,
  roles,
  userRoles,
  apiKeys,
  auditEvents,
  auditErasures,
  writeProbes,
  leases,
  limits,
  dataKeys,
  processes,
  mails,
  proofs,
  pendingRegistrations,
  firstAdminLinks,
  clients,
  clientSecrets,
  authorizationCodes,
  consents,
  deviceCodes,
  logoutDeliveries,
  providers,
  identities,
} = allTables(sqliteColumns)
