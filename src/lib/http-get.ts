/** More of an answer is not read. */
const MAX_BODY = 64 * 1024

/**
 * Asks an address once. Not by `fetch`, which goes through the proxy that HTTP_PROXY names, even to this very machine.
 * @returns undefined when there is no whole answer within `patience` milliseconds
 */
export async function getStatus(url: string, patience: number): Promise<{ status: number; body: string } | undefined> {
  // Loaded here, because a server that starts needs no client and would wait milliseconds for one.
  const { get } = await (url.toLowerCase().startsWith('https:') ? import('node:https') : import('node:http'))
  return new Promise((resolve) => {
    const request = get(url, { agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (body.length > MAX_BODY) request.destroy()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('close', () => resolve(undefined))
    })
    request.on('error', () => resolve(undefined))
    const timer = setTimeout(() => {
      resolve(undefined)
      request.destroy()
    }, patience)
    request.on('close', () => clearTimeout(timer))
  })
}
