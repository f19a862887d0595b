import type { EpochMs } from '../../lib/clock.ts'

/** `totp`: an authenticator app. `passkey`: both factors at once. `security_key`: the second factor after a password. */
export type FactorType = 'totp' | 'passkey' | 'security_key'

/** A confirmed factor of a user, without its secret or key. */
export interface Factor {
  /** `t` and a number for an authenticator app, `p` and a number for a passkey or security key. */
  id: string
  type: FactorType
  name: string
  createdAt: EpochMs
  lastUsedAt: EpochMs | null
  /** False for a passkey or security key of another RP ID, and with `PASSKEYS=off`: it does not count as a factor. */
  isUsable: boolean
  /** Of a passkey or security key: true when other devices may have copies of it. */
  isSynced?: boolean
  /** Of a passkey or security key: the kind of its authenticator. */
  aaguid?: string
}

/** True for a passkey that works: it logs its owner in without a password. */
export const signsIn = ({ type, isUsable }: Factor): boolean => type === 'passkey' && isUsable

/** The row of a factor: its table and its number in the table. */
export interface FactorKey {
  table: 'totp' | 'passkey'
  id: number
}

const prefixes = { totp: 't', passkey: 'p' } as const

export const factorId = ({ table, id }: FactorKey): string => `${prefixes[table]}${id}`

/** @returns undefined for a text that is no id. No such text is sent to the database */
export function readFactorId(text: string): FactorKey | undefined {
  if (!/^[tp][1-9]\d{0,14}$/.test(text)) return undefined
  return { table: text.startsWith('t') ? 'totp' : 'passkey', id: Number(text.slice(1)) }
}
