import { afterAll, beforeAll, expect } from 'bun:test'
import { type RunningBinary, startBinary } from '../support/binary.ts'

/**
 * The executable of a suite, and the links of the mails that it sends to new accounts.
 * @param more further settings
 */
export function pagesPerSuite(more: Record<string, string> = {}) {
  let keyward: RunningBinary
  beforeAll(async () => {
    const env = {
      ADMIN_EMAIL: 'chief@example.com',
      APP_NAME: 'Example',
      APP_URL: 'http://localhost/app',
      SUPPORT_EMAIL: 'help@example.com',
    }
    keyward = await startBinary({ env: { ...env, ...more, BCRYPT_COST: '4', RATE_LIMIT: 'off' } })
  }, 60_000)
  afterAll(() => keyward.stop())

  const post = (path: string, json: object) =>
    fetch(`${keyward.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    })
  const register = async (name: string) => {
    const email = `${name}@example.com`
    const answer = await post('/register', { username: name, email, password: 'correct horse battery' })
    expect(answer.status).toBe(201)
    return email
  }
  /** The path of the link in the newest mail to this address. */
  const linkTo = async (email: string, page: string): Promise<string> => {
    for (;;) {
      const { mails } = (await (await fetch(`${keyward.url}/dev/mailbox.json`)).json()) as {
        mails: { to: string; text: string }[]
      }
      const text = mails.find((mail) => mail.to === email && mail.text.includes(`/${page}?token=`))?.text
      if (text) return new RegExp(`/${page}\\?token=[\\w-]+`).exec(text)![0]
      await Bun.sleep(50)
    }
  }
  const resetLink = async (name: string) => {
    const email = await register(name)
    await post('/password/forgot', { email })
    return linkTo(email, 'reset')
  }
  /** The links to confirm a new address and, of another account, to undo the change. */
  const addressLinks = async (name: string, next: string) => {
    const email = await register(name)
    const form = new URLSearchParams({ username: name, password: 'correct horse battery' })
    const login = (await (await fetch(`${keyward.url}/token`, { method: 'POST', body: form })).json()) as {
      access_token: string
    }
    await fetch(`${keyward.url}/users/me`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${login.access_token}` },
      body: JSON.stringify({ email: next }),
    })
    return { email, confirm: await linkTo(next, 'confirm') }
  }
  const undoLink = async (name: string) => {
    const { email, confirm } = await addressLinks(name, `${name}@new.example`)
    expect((await post('/email/change/confirm', { token: confirm.split('=')[1] })).status).toBe(200)
    return linkTo(email, 'undo')
  }
  const verifyLink = async (name: string) => {
    const email = await register(name)
    await post('/email/verification', { email })
    return linkTo(email, 'verify')
  }

  return {
    get url() {
      return keyward.url
    },
    register,
    linkTo,
    resetLink,
    addressLinks,
    undoLink,
    verifyLink,
  }
}
