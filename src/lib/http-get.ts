/**
 * The longest body that is read, in characters. A longer body ends the request, so that the body cannot fill the
 * memory.
 */
const MAX_BODY = 64 * 1024

/**
 * Sends one GET request. `fetch` is not used, because it sends even a request to this machine through the proxy in
 * HTTP_PROXY.
 * @param patience in milliseconds
 * @returns undefined when no complete response arrives within `patience`, or when the body is longer than `MAX_BODY`
 */
export async function getStatus(url: string, patience: number): Promise<{ status: number; body: string } | undefined> {
  // The HTTP client is loaded here and not at the start of the process. A server does not need this client, and loading
  // takes milliseconds.
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
