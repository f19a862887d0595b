import { parseStrictJson } from '../../../lib/json.ts'
import { WebauthnFailure } from './failure.ts'

/** The members of the client data that Keyward looks at (WebAuthn section 5.8.1). */
export interface ClientData {
  type: string
  /** The challenge in base64url, without padding. */
  challenge: string
  origin: string
  /** True when a member says that the ceremony ran in a frame of another origin. */
  isCrossOrigin: boolean
}

/** What the client data of a ceremony must say. */
export interface ExpectedClientData {
  type: 'webauthn.create' | 'webauthn.get'
  /** The challenge in base64url, without padding. */
  challenge: string
  /** The accepted origins, compared exactly. */
  origins: readonly string[]
}

/**
 * Reads client data: strict JSON in UTF-8 without a byte order mark. Unknown members are ignored.
 * @throws WebauthnFailure `client_data`
 */
export function parseClientData(bytes: Uint8Array): ClientData {
  const data = readJson(bytes)
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new WebauthnFailure('client_data')
  const { type, challenge, origin, crossOrigin, topOrigin } = data as Record<string, unknown>
  if (typeof type !== 'string' || typeof challenge !== 'string' || typeof origin !== 'string')
    throw new WebauthnFailure('client_data')
  return {
    type,
    challenge,
    origin,
    isCrossOrigin: (crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined,
  }
}

/**
 * Compares client data with what the ceremony expects. A frame of another origin is always refused.
 * @throws WebauthnFailure `type`, `challenge`, `origin` or `cross_origin`
 */
export function checkClientData(data: ClientData, expected: ExpectedClientData): void {
  if (data.type !== expected.type) throw new WebauthnFailure('type')
  if (data.challenge !== expected.challenge) throw new WebauthnFailure('challenge')
  if (!expected.origins.includes(data.origin)) throw new WebauthnFailure('origin')
  if (data.isCrossOrigin) throw new WebauthnFailure('cross_origin')
}

// With `ignoreBOM` the decoder keeps a byte order mark, which is no JSON.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readJson(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(decoder.decode(bytes), { maxDepth: 8 })
  } catch {
    throw new WebauthnFailure('client_data')
  }
}
