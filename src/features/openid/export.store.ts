import { eq, getTableColumns } from 'drizzle-orm'
import type { Db } from '../../storage/store.ts'

/** What a user gave applications, for the export of the account: without MACs and challenges. */
export interface ApplicationsExport {
  consents: object[]
  authorizationCodes: object[]
  deviceCodes: object[]
}

export async function exportOf({ q, t }: Db, userId: number): Promise<ApplicationsExport> {
  const { userId: _of, ...consents } = getTableColumns(t.consents)
  const { mac: _mac, userId: _by, codeChallenge: _challenge, ...codes } = getTableColumns(t.authorizationCodes)
  const { mac: _deviceMac, userCodeMac: _userMac, userId: _for, ...devices } = getTableColumns(t.deviceCodes)
  return {
    consents: await q.select(consents).from(t.consents).where(eq(t.consents.userId, userId)),
    authorizationCodes: await q.select(codes).from(t.authorizationCodes).where(eq(t.authorizationCodes.userId, userId)),
    deviceCodes: await q.select(devices).from(t.deviceCodes).where(eq(t.deviceCodes.userId, userId)),
  }
}
