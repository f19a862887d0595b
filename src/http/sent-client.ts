/** The credentials of a client in a request (RFC 6749 section 2.3.1). They are not checked yet. */
export interface SentClient {
  id: string
  /** Undefined for a public client, which only says who it is. */
  secret: string | undefined
  /** True when the request has credentials in the header and in the form. No method may be used beside another. */
  isTwice: boolean
}

/**
 * Reads the credentials of a client from the Basic header, or else from the form.
 * @returns undefined when the request names no client
 */
export function sentClient(
  request: Request,
  form: { client_id?: string | null | undefined; client_secret?: string | null | undefined },
): SentClient | undefined {
  const basic = basicCredentials(request)
  const formId = form.client_id || undefined
  const formSecret = form.client_secret || undefined
  if (basic?.id) {
    const isTwice = formSecret !== undefined || (formId !== undefined && formId !== basic.id)
    return { id: basic.id, secret: basic.secret || undefined, isTwice }
  }
  return formId === undefined ? undefined : { id: formId, secret: formSecret, isTwice: false }
}

/** Returns true for an `Authorization` header with the scheme Basic. */
export const isBasic = (authorization: string): boolean => /^basic(?: |$)/i.test(authorization)

/**
 * Returns the id and the secret of an `Authorization: Basic` header, which OAuth clients percent-encode (RFC 6749
 * section 2.3.1); undefined for another header, and for a malformed one.
 */
export function basicCredentials({ headers }: Request): { id: string; secret: string } | undefined {
  const authorization = headers.get('authorization')
  if (authorization === null || !isBasic(authorization)) return undefined
  const pair = Buffer.from(authorization.slice(5).trim(), 'base64').toString()
  const colon = pair.indexOf(':')
  try {
    return colon === -1
      ? undefined
      : { id: decodeURIComponent(pair.slice(0, colon)), secret: decodeURIComponent(pair.slice(colon + 1)) }
  } catch {
    return undefined
  }
}
