interface Header {
  description: string
  schema: { type: string }
  example: unknown
}

/**
 * The response headers that the document describes, by name. `X-Request-Id` is not listed: every response has it, so
 * only the document's introduction describes it.
 */
export const documentedHeaders: Record<string, Header> = {
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 6750 section 3)',
    schema: { type: 'string' },
    example: 'Bearer realm="keyward", error="invalid_token"',
  },
  'Retry-After': {
    description: 'Seconds to wait before another attempt',
    schema: { type: 'integer' },
    example: 5,
  },
  RateLimit: {
    description:
      'The attempts that are left of the limit that was reached (`r`), and the seconds until there are more (`t`)',
    schema: { type: 'string' },
    example: '"login.name_prefix";r=0;t=20',
  },
  'RateLimit-Policy': {
    description: 'The limit that was reached: attempts (`q`) in seconds (`w`)',
    schema: { type: 'string' },
    example: '"login.name_prefix";q=3;w=60',
  },
  Location: {
    description: 'The new resource, relative to the address of the request',
    schema: { type: 'string' },
    example: 'users/me',
  },
}

const byStatus: Record<number, string[]> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
}

/**
 * Returns the headers of an answer for the document: the headers of its status, and the headers that its route
 * declares.
 * @param declared the description of each header of the route, by name
 * @returns undefined when the answer has no headers
 */
export function headersOf(status: number, declared: Record<string, string> = {}): Record<string, unknown> | undefined {
  const common = (byStatus[status] ?? []).map((name) => [name, { $ref: `#/components/headers/${name}` }])
  const own = Object.entries(declared).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' }, example: documentedHeaders[name]?.example },
  ])
  return common.length + own.length === 0 ? undefined : Object.fromEntries([...common, ...own])
}
