import type { EpochMs } from '../../lib/clock.ts'

/** An account as the rules see it; without its password. */
export interface User {
  id: number
  email: string
  emailVerifiedAt: EpochMs | null
  username: string
  isActive: boolean
  sessionEpoch: number
  createdAt: EpochMs
}

/** What a log-in is checked against: the hash and the epoch are read together, so a reset in between is noticed. */
export interface UserCredentials extends User {
  passwordHash: string | null
  passwordScheme: string | null
}
