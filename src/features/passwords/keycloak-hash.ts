/**
 * Translates a password credential of Keycloak, as `kc.sh export` writes it, into the spelling that Keyward stores:
 * `{"secretData":"{\"value\":…,\"salt\":…}","credentialData":"{\"hashIterations\":…,\"algorithm\":…}"}`. Both members may
 * also be objects.
 * @returns undefined for any other text; the result still has to be checked
 */
export function readKeycloakCredential(text: string): string | undefined {
  const { secretData, credentialData } = objectOf(text)
  const { value, salt } = objectOf(secretData)
  const { hashIterations, algorithm, additionalParameters } = objectOf(credentialData)
  if (typeof value !== 'string' || typeof salt !== 'string') return undefined
  const bytes = [salt, value].map((base64) => base64.replaceAll('=', '')).join('$')
  switch (algorithm) {
    case 'pbkdf2':
    case 'pbkdf2-sha256':
    case 'pbkdf2-sha512':
      return `$${algorithm}$${hashIterations}$${bytes}`
    case 'argon2': {
      // Keycloak writes each parameter as a list with one text.
      const { type = 'id', version = '1.3', memory, parallelism } = objectOf(additionalParameters)
      const v = String(version) === '1.3' ? 19 : 16
      return `$argon2${type}$v=${v}$m=${memory},t=${hashIterations},p=${parallelism}$${bytes}`
    }
    default:
      return undefined
  }
}

/** Reads a JSON object, given as its text or as the object. Any other value is an object without members. */
function objectOf(value: unknown): Record<string, unknown> {
  let object = value
  if (typeof value === 'string')
    try {
      object = JSON.parse(value)
    } catch {
      return {}
    }
  return typeof object === 'object' && object !== null ? (object as Record<string, unknown>) : {}
}
