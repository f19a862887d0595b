import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'

/** Serves an application at BASE_URL, with TLS if that is https, and says so on the standard output. */
export function serve(listener) {
  const { BASE_URL, CERT_FILE, KEY_FILE } = process.env
  const { protocol, port } = new URL(BASE_URL)
  const server =
    protocol === 'https:'
      ? createTlsServer({ cert: readFileSync(CERT_FILE), key: readFileSync(KEY_FILE) }, listener)
      : createServer(listener)
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'))
}
