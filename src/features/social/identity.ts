import type { EpochMs } from '../../lib/clock.ts'

/** An account at a provider, as the provider told it in an answer that was checked. */
export interface Identity {
  /** The name of the provider. */
  provider: string
  /** With `subject`, says whose account it is. For GitHub and Discord it is the origin of the API. */
  issuer: string
  subject: string
  /** The address, as `normalizeEmail` returns it; undefined when the provider told none, or one that cannot be used. */
  email: string | undefined
  /** True when the provider says that the address is verified, and its word counts. */
  isEmailProved: boolean
  /** The username and the name of the person there, for a new account. They are not checked. */
  username: string | undefined
  name: string | undefined
}

/** An identity that is linked with a user. */
export interface LinkedIdentity {
  id: number
  userId: number
  provider: string
  issuer: string
  subject: string
  /** The address that the provider told at the link. Nothing is decided by it. */
  email: string | null
  createdAt: EpochMs
  lastUsedAt: EpochMs
}
