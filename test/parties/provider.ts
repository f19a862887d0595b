import { afterAll, beforeAll } from 'bun:test'
import { createTestApp, type TestApp, type TestAppOptions } from '../support/app.ts'
import { manualClock } from '../support/clock.ts'
import { type Served, serve } from '../support/socket.ts'
import { certificate, startTlsFront, type TlsFront } from '../support/tls-front.ts'

export const user = { username: 'ada', password: 'correct horse battery' }

/** A Keyward that relying parties reach at an https address, with the user `ada`. */
export interface Provider {
  app: TestApp
  /** `https://localhost:<port>`. */
  issuer: string
  /** The certificate, as a file and as text. */
  caFile: string
  ca: string
  /** The id of `ada`, as the claim `sub`. */
  sub: string
  /** The access token of a session that `ada` has at Keyward itself. */
  token: string
  /** A fetch that trusts the certificate, for libraries that take one. */
  fetch: (url: string, init?: RequestInit) => Promise<Response>
}

/**
 * Starts a provider for the tests of a suite. Its clock begins with that of the machine and stands still, because
 * relying parties compare times with their own clock.
 */
export function providerPerSuite(options: Omit<TestAppOptions, 'clock'> = {}): Provider {
  const provider = {} as Provider
  let front: TlsFront | undefined
  let served: Served | undefined

  beforeAll(async () => {
    const { cert, certFile } = await certificate()
    front = await startTlsFront(() => Number(new URL(served!.url).port))
    const issuer = `https://localhost:${front.port}`
    const clock = manualClock(Date.now())
    const app = await createTestApp({ ...options, clock, env: { PUBLIC_URL: issuer, ...options.env } })
    served = serve(app)
    const { id, grant } = await app.signUp(user.username, user.password)
    const trusting = (url: string, init?: RequestInit) => fetch(url, { ...init, tls: { ca: cert } } as RequestInit)
    Object.assign(provider, {
      app,
      issuer,
      caFile: certFile,
      ca: cert,
      sub: String(id),
      token: grant.access_token,
      fetch: trusting,
    })
  }, 60_000)

  afterAll(async () => {
    await front?.stop()
    await served?.stop()
    await provider.app?.close()
  })
  return provider
}
