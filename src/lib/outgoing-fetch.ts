import type { LookupAddress } from 'node:dns'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { type AllowedAddresses, mayReach } from './outgoing-address.ts'

/** Sends requests to addresses that other people chose, such as those of providers and of clients. */
export interface Outgoing {
  /**
   * Sends one request.
   * - Only https; with `addresses: 'private'` also http. No credentials in the URL.
   * - Only to allowed addresses (`mayReach`). A name is looked up once, every address of it must be allowed, and the
   *   connection goes to the address that was checked. The certificate must be for the name.
   * - A redirect is a response like any other, and is not followed.
   * - The response must not be compressed, as a small one could become large.
   * - No proxy of the environment is used, as a proxy would look up the name again.
   * @throws OutgoingError
   */
  fetch(url: string, request?: OutgoingRequest): Promise<OutgoingResponse>
}

export interface OutgoingRequest {
  method?: 'GET' | 'POST'
  headers?: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** For all of the request, the lookup of the name included; 5 s when absent. */
  timeoutMs?: number
  /** The longest body that is read; 1 MB when absent. */
  maxBytes?: number
}

export interface OutgoingResponse {
  status: number
  headers: Headers
  body: Uint8Array
}

/**
 * Why a request failed. It is for the log and for administrators. Do not tell it to the person who chose the address:
 * it says what is inside the network.
 */
export type OutgoingFault =
  | 'url_refused'
  | 'address_refused'
  | 'host_unknown'
  | 'unreachable'
  | 'certificate_refused'
  | 'timeout'
  | 'too_large'
  | 'compressed'
  | 'malformed'

/** Thrown when there is no complete response. The message has no part of the response. */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError'
  constructor(
    readonly fault: OutgoingFault,
    detail: string,
  ) {
    super(detail)
  }
}

interface OutgoingSettings {
  addresses: AllowedAddresses
  /** Returns all addresses of a name. Tests replace it. */
  lookup?: (host: string) => Promise<readonly LookupAddress[]>
  /** Certificates that count as authorities, in PEM; those of the system when absent. Tests set it. */
  ca?: string
}

const TIMEOUT = 5_000
const MAX_BYTES = 1_000_000

/** Makes the only way in which Keyward sends requests to addresses that other people chose. */
export const createOutgoing = ({ addresses, lookup = lookupAll, ca }: OutgoingSettings): Outgoing => ({
  async fetch(text, request = {}) {
    const url = acceptedUrl(text, addresses)
    const { timeoutMs = TIMEOUT } = request
    const work = new AbortController()
    const timer = setTimeout(
      () => work.abort(new OutgoingError('timeout', `no response within ${timeoutMs} ms`)),
      timeoutMs,
    )
    try {
      const found = await untilAborted(addressesOf(url.hostname, addresses, lookup), work.signal)
      return await send(url, request, { lookup: answering(found), ca, agent: false }, work.signal)
    } finally {
      clearTimeout(timer)
    }
  },
})

function acceptedUrl(text: string, addresses: AllowedAddresses): URL {
  const url = URL.parse(text)
  if (url === null) throw new OutgoingError('url_refused', 'the address is no URL')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && addresses === 'private'))
    throw new OutgoingError('url_refused', `the address must begin with https:, not ${url.protocol}`)
  if (url.username !== '' || url.password !== '')
    throw new OutgoingError('url_refused', 'the address must not contain credentials')
  return url
}

/** Loaded at the first request, as most servers never send one. */
const lookupAll = async (host: string) => (await import('node:dns/promises')).lookup(host, { all: true })

/** @returns the addresses of a host, all of them allowed */
async function addressesOf(
  hostname: string,
  allowed: AllowedAddresses,
  lookup: NonNullable<OutgoingSettings['lookup']>,
): Promise<readonly LookupAddress[]> {
  // The URL parser has already turned every spelling of an address, such as 2130706433, into the usual one.
  const host = hostname.replace(/^\[|\]$/g, '')
  const isLiteral = host.includes(':') || /^[\d.]+$/.test(host)
  const found = isLiteral
    ? [{ address: host, family: host.includes(':') ? 6 : 4 }]
    : await lookup(host).catch(() => [] as LookupAddress[])
  if (found.length === 0) throw new OutgoingError('host_unknown', `the host ${host} has no address`)
  if (!found.every(({ address }) => mayReach(address, allowed)))
    throw new OutgoingError('address_refused', `the address of ${host} is not allowed`)
  return found
}

/** Makes the `lookup` of a connection, which answers with addresses that were checked, whatever the name is. */
const answering =
  (found: readonly LookupAddress[]): NonNullable<RequestOptions['lookup']> =>
  (_, { all }, done) =>
    all ? done(null, [...found]) : done(null, found[0]!.address, found[0]!.family)

async function send(
  url: URL,
  { method = 'GET', headers = {}, body, maxBytes = MAX_BYTES }: OutgoingRequest,
  connection: RequestOptions & { ca: string | undefined },
  signal: AbortSignal,
): Promise<OutgoingResponse> {
  const { request } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'))
  let sent: ClientRequest | undefined
  try {
    return await untilAborted(
      new Promise<OutgoingResponse>((resolve, reject) => {
        const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
        const all = { 'accept-encoding': 'identity', 'user-agent': 'Keyward', ...headers, ...length }
        sent = request(url, { ...connection, method, headers: all }, (response) => {
          read(response, maxBytes).then(resolve, reject)
        })
        sent.on('error', (error) => reject(faultOf(error)))
        sent.end(body)
      }),
      signal,
    )
  } finally {
    sent?.destroy()
  }
}

async function read(response: IncomingMessage, maxBytes: number): Promise<OutgoingResponse> {
  const encoding = response.headers['content-encoding'] ?? 'identity'
  if (encoding.toLowerCase() !== 'identity') throw new OutgoingError('compressed', 'the response is compressed')
  const chunks: Uint8Array[] = []
  let length = 0
  const tooLarge = new OutgoingError('too_large', `the response is longer than ${maxBytes} bytes`)
  if (Number(response.headers['content-length'] ?? 0) > maxBytes) throw tooLarge
  await new Promise<void>((resolve, reject) => {
    response.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > maxBytes) reject(tooLarge)
      else chunks.push(chunk)
    })
    response.on('end', () =>
      response.complete ? resolve() : reject(new OutgoingError('malformed', 'the response ended early')),
    )
    response.on('error', (error) => reject(faultOf(error)))
    response.on('close', () => reject(new OutgoingError('malformed', 'the response ended early')))
  })
  return { status: response.statusCode ?? 0, headers: headersOf(response), body: Buffer.concat(chunks) }
}

function headersOf({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  try {
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!)
  } catch {
    throw new OutgoingError('malformed', 'the response has a malformed header')
  }
  return headers
}

function faultOf(error: Error): OutgoingError {
  const { code = '' } = error as { code?: string }
  if (error instanceof OutgoingError) return error
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|SSL/.test(code))
    return new OutgoingError('certificate_refused', `the certificate was refused (${code})`)
  if (/^(HPE_|ERR_HTTP|ERR_INVALID)/.test(code))
    return new OutgoingError('malformed', `the response is no HTTP (${code})`)
  return new OutgoingError('unreachable', `no connection (${code === '' ? 'unknown error' : code})`)
}

/** Settles as `work` does, or rejects with the reason of `signal`. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  if (signal.aborted) aborted.reject(signal.reason)
  signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true })
  return Promise.race([work, aborted.promise])
}
