interface Header {
  description: string
  schema: { type: string }
  example: unknown
}

/** The headers that answers carry beside those of HTTP itself. */
export const documentedHeaders: Record<string, Header> = {
  'X-Request-Id': {
    description: 'Names this request in the log; the one that was sent, if it was sane',
    schema: { type: 'string' },
    example: 'c2lnbmVkLWlu.1',
  },
  'WWW-Authenticate': {
    description: 'How to authenticate (RFC 6750 section 3)',
    schema: { type: 'string' },
    example: 'Bearer error="invalid_token"',
  },
  'Retry-After': {
    description: 'Seconds after which another attempt makes sense; where the server can tell',
    schema: { type: 'integer' },
    example: 5,
  },
  RateLimit: {
    description: 'What is left of the limit that refused, and the seconds until there is more of it',
    schema: { type: 'string' },
    example: '"login.account_prefix";r=0;t=12',
  },
  'RateLimit-Policy': {
    description: 'The limit that refused: how many in how many seconds',
    schema: { type: 'string' },
    example: '"login.account_prefix";q=5;w=60',
  },
  Location: {
    description: 'Where the thing that was made is',
    schema: { type: 'string' },
    example: '/users/me',
  },
  ETag: {
    description: 'Names this version of the answer (RFC 9110 section 8.8.3)',
    schema: { type: 'string' },
    example: '"n4bQgYhMfWWaL-qg"',
  },
}

const byStatus: Record<number, string[]> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
}

/** The headers of an answer: those of its status and those that its route declares with `withHeaders`. */
export function headersOf(status: number, declared: Record<string, string> = {}): Record<string, unknown> {
  const names = ['X-Request-Id', ...(byStatus[status] ?? [])]
  const own = Object.entries(declared).map(([name, description]) => [
    name,
    {
      description,
      schema: { type: 'string' },
      ...(documentedHeaders[name] && { example: documentedHeaders[name].example }),
    },
  ])
  return {
    ...Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...Object.fromEntries(own),
  }
}
