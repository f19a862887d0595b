import { describe, expect, test } from 'bun:test'
import { platform } from 'node:os'
import {
  type Bcrypt,
  createPasswords,
  type PasswordsNeeds,
  readBcryptHash,
} from '../../src/features/passwords/passwords.ts'
import type { Log } from '../../src/lib/log.ts'
import { manualClock } from '../support/clock.ts'

// Made by libxcrypt's crypt(3), which ignores bytes after the 72nd, as Python's bcrypt, PHP and Go do.
const foreign = {
  '2a': { password: 'old password', hash: '$2a$05$abcdefghijklmnopqrstuuVMJuoYvK8M0I1b5rQJi2HZUjQt/fvgC' },
  '2b long': {
    password: '0123456789'.repeat(10),
    hash: '$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S',
  },
  '2y long': {
    password: '0123456789'.repeat(10),
    hash: '$2y$05$abcdefghijklmnopqrstuuLkMZtUsVwf9Ptg/wgiNv8ZhtnAHnix.',
  },
  // Bytes 72 and 73 are one letter, which the limit splits.
  'split letter': {
    password: `x${'é'.repeat(40)}`,
    hash: '$2b$04$abcdefghijklmnopqrstuunt1F6iRePqdLv.sStq15vGl7/EUVfPO',
  },
  'decomposed letter': {
    password: 'cafe\u0301 au lait',
    hash: '$2b$04$abcdefghijklmnopqrstuu.oMTCQjdCbYvSW3IQEvGWmdb6wOIFXe',
  },
}

const setUp = (options: Partial<PasswordsNeeds> = {}) =>
  createPasswords({
    minLength: 8,
    cost: 4,
    maxWaitMs: 5_000,
    nice: 0,
    fairness: true,
    clock: manualClock(),
    ...options,
  })

/** A bcrypt that computes nothing: it records its calls, and its hash of a password is that password. */
function recordingBcrypt() {
  const asked: string[] = []
  const bcrypt: Bcrypt = {
    hash: async (password, cost) => {
      asked.push(`hash at ${cost}`)
      return password
    },
    verify: async (password, hash) => {
      asked.push(`verify at ${Number(hash.slice(4, 6))}`)
      return Buffer.from(password).toString() === 'right password'
    },
  }
  return { asked, bcrypt }
}

const hashAt = (cost: number, version = '2b') =>
  `$${version}$${String(cost).padStart(2, '0')}$abcdefghijklmnopqrstuuVMJuoYvK8M0I1b5rQJi2HZUjQt/fvgC`

const recordingLog = () => {
  const lines: string[] = []
  const say = (event: string, fields = {}) => {
    lines.push(JSON.stringify({ event, ...fields }))
  }
  const log: Log = { debug: say, info: say, warn: say, error: say }
  return { log, lines }
}

describe('with Bun.password', () => {
  const passwords = setUp()

  test('verifies exactly what it hashed', async () => {
    const stored = await passwords.hash('Correct horse')
    expect(stored.scheme).toBe('bun-bcrypt')
    expect(stored.hash).toStartWith('$2b$04$')
    expect(await passwords.verify('Correct horse', stored)).toEqual({ ok: true, rehash: false })
    for (const other of ['correct horse', 'Correct horse ', ' Correct horse', 'Correct hors', ''])
      expect(await passwords.verify(other, stored)).toEqual({ ok: false, rehash: false })
  })

  test('treats composed and decomposed letters as the same', async () => {
    const stored = await passwords.hash('cafe\u0301 cre\u0300me')
    expect((await passwords.verify('caf\u00e9 cr\u00e8me', stored)).ok).toBe(true)
    expect((await passwords.verify('cafe creme', stored)).ok).toBe(false)
  })

  test('B1: ignores no byte after the 72nd', async () => {
    const whole = '0123456789'.repeat(10)
    const stored = await passwords.hash(whole)
    for (const length of [64, 71, 72, 73, 99])
      expect((await passwords.verify(whole.slice(0, length), stored)).ok).toBe(false)
    expect((await passwords.verify(`${whole.slice(0, 72)}${'x'.repeat(28)}`, stored)).ok).toBe(false)
    expect((await passwords.verify(whole, stored)).ok).toBe(true)
  })

  test('B2, B3: distinguishes passwords that bcrypt alone would confuse', async () => {
    const stored = await passwords.hash('abcdefgh')
    for (const other of ['abcdefgh\0abcdefgh', 'abcdefgh\0', '\0abcdefgh'])
      expect((await passwords.verify(other, stored)).ok).toBe(false)
    const replacement = await passwords.hash('\ufffdabcdefgh')
    expect((await passwords.verify('\ud800abcdefgh', replacement)).ok).toBe(false)
  })

  for (const [name, { password, hash }] of Object.entries(foreign))
    test(`logs in with a foreign hash once and asks for a new one: ${name}`, async () => {
      const stored = { hash, scheme: 'bcrypt' }
      expect(await passwords.verify(password, stored)).toEqual({ ok: true, rehash: true })
      expect(await passwords.verify(`${password.slice(0, -1)}`.slice(0, 20), stored)).toEqual({
        ok: false,
        rehash: false,
      })
      const renewed = await passwords.hash(password)
      expect(await passwords.verify(password, renewed)).toEqual({ ok: true, rehash: false })
    })

  test('a hash of a long password verifies only under the scheme it was made with', async () => {
    const { password, hash } = foreign['2b long']
    expect((await passwords.verify(password, { hash, scheme: 'bun-bcrypt' })).ok).toBe(false)
    const own = await passwords.hash(password)
    expect((await passwords.verify(password, { ...own, scheme: 'bcrypt' })).ok).toBe(false)
  })

  test('refuses to hash what no account can have', async () => {
    for (const password of ['', 'abc\0defgh', '\ud800abcdefgh', 'a'.repeat(257)])
      await expect(passwords.hash(password)).rejects.toMatchObject({ code: 'validation_failed' })
  })
})

describe('the time of a verification', () => {
  test('B9: is that of one verification at the set cost, whatever is wrong', async () => {
    const { asked, bcrypt } = recordingBcrypt()
    const passwords = setUp({ cost: 12, bcrypt })
    const scheme = 'bun-bcrypt'
    const nothingToVerify = [
      undefined,
      { hash: null, scheme: null },
      { hash: '', scheme },
      { hash: 'plain text', scheme },
      { hash: hashAt(12).slice(0, -1), scheme },
      { hash: `${hashAt(12)} `, scheme },
      { hash: hashAt(12, '2x'), scheme },
      { hash: hashAt(12, '2'), scheme },
      { hash: hashAt(16), scheme },
      { hash: hashAt(31), scheme },
      { hash: hashAt(3), scheme },
      { hash: '$argon2id$v=19$m=1048576,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo', scheme },
      { hash: hashAt(12), scheme: 'argon2id' },
      { hash: hashAt(12), scheme: null },
    ]
    for (const stored of nothingToVerify) {
      expect(await passwords.verify('right password', stored)).toEqual({ ok: false, rehash: false })
      expect(asked.splice(0)).toEqual(['hash at 12'])
    }
    const known = { hash: hashAt(12), scheme }
    for (const password of ['', 'a\0b', '\udc00', 'a'.repeat(257), 'a'.repeat(1_000_000)]) {
      expect((await passwords.verify(password, known)).ok).toBe(false)
      expect(asked.splice(0)).toEqual(['hash at 12'])
    }
    expect((await passwords.verify('wrong password', known)).ok).toBe(false)
    expect(asked.splice(0)).toEqual(['verify at 12'])
  })

  test('B9: is extended to the set cost after a wrong password for a cheaper hash', async () => {
    const { asked, bcrypt } = recordingBcrypt()
    const passwords = setUp({ cost: 12, bcrypt })
    const cheap = { hash: hashAt(10), scheme: 'bun-bcrypt' }
    await passwords.verify('wrong password', cheap)
    expect(asked.splice(0)).toEqual(['verify at 10', 'hash at 10', 'hash at 11'])
    await passwords.verify('right password', cheap)
    expect(asked.splice(0)).toEqual(['verify at 10'])
  })

  test('B7: an error in bcrypt counts as a wrong password, takes the same time, and logs no secret', async () => {
    const { asked, bcrypt } = recordingBcrypt()
    const { log, lines } = recordingLog()
    const failing: Bcrypt = {
      ...bcrypt,
      verify: () => Promise.reject(new Error(`cannot verify right password against ${hashAt(12)}`)),
    }
    const passwords = setUp({ cost: 12, bcrypt: failing, log })
    const stored = { hash: hashAt(12), scheme: 'bun-bcrypt' }
    expect(await passwords.verify('right password', stored)).toEqual({ ok: false, rehash: false })
    await passwords.verify('right password', { ...stored, hash: 'right password in plain text' })
    expect(asked).toEqual(['hash at 12', 'hash at 12'])
    expect(lines).toHaveLength(2)
    expect(lines.join()).not.toMatch(/right password|\$2b\$/)
  })
})

test('asks for a new hash if cost, prefix or scheme are not the current ones', async () => {
  const passwords = setUp({ cost: 12, bcrypt: recordingBcrypt().bcrypt })
  const rehash = async (hash: string, scheme = 'bun-bcrypt') => {
    const answer = await passwords.verify('right password', { hash, scheme })
    expect(answer.ok).toBe(true)
    return answer.rehash
  }
  expect(await rehash(hashAt(12))).toBe(false)
  expect(await rehash(hashAt(11))).toBe(true)
  expect(await rehash(hashAt(13))).toBe(true)
  expect(await rehash(hashAt(12, '2a'))).toBe(true)
  expect(await rehash(hashAt(12, '2y'))).toBe(true)
  expect(await rehash(hashAt(12), 'bcrypt')).toBe(true)
  expect(await passwords.verify('wrong password', { hash: hashAt(11), scheme: 'bcrypt' })).toEqual({
    ok: false,
    rehash: false,
  })
})

test('queues every hash and verification, those for unknown users too', async () => {
  const never: Bcrypt = { hash: () => new Promise(() => {}), verify: () => new Promise(() => {}) }
  const clock = manualClock()
  const passwords = setUp({ cost: 10, concurrency: 1, maxWaitMs: 0, bcrypt: never, clock })
  passwords.verify('some password', undefined, { client: 'a' })
  expect(passwords.stats().running).toBe(1)
  const refused = [
    passwords.hash('some password', { client: 'b' }),
    passwords.verify('some password', undefined, { client: 'b' }),
    passwords.verify('', undefined, { client: 'b' }),
    passwords.verify('some password', { hash: hashAt(10), scheme: 'bun-bcrypt' }, { client: 'b' }),
  ].map((work) => work.catch((error: unknown) => error))
  await clock.advance(250)
  for (const answer of await Promise.all(refused)) expect(answer).toMatchObject({ code: 'overloaded', retryAfter: 1 })
  expect(passwords.stats()).toMatchObject({ running: 1, queued: 0, refusedTotal: 4 })
})

test('shares the queue fairly between clients only if configured', async () => {
  const refusals = (fairness: boolean) => {
    const never: Bcrypt = { hash: () => new Promise(() => {}), verify: () => new Promise(() => {}) }
    const passwords = setUp({ cost: 10, concurrency: 1, maxWaitMs: 900, bcrypt: never, fairness })
    // 16 places of 60 ms.
    for (let hash = 0; hash < 16; hash++) passwords.hash('some password', { client: 'flood' })
    return passwords.stats().refusedTotal
  }
  expect(refusals(false)).toBe(0)
  expect(refusals(true)).toBe(12)
})

test.if(platform() === 'linux')('lowers the priority of the threads that hash', async () => {
  const { log, lines } = recordingLog()
  const passwords = setUp({ nice: 1, concurrency: 64, log })
  for (let round = 0; round < 50 && lines.length === 0; round++)
    await Promise.all(Array.from({ length: 64 }, () => passwords.verify('some password', undefined)))
  expect(lines.join()).toContain('hash_priority_lowered')
})

test('B7: parses the beginning of a bcrypt hash and refuses hashes that it would not verify', () => {
  expect(readBcryptHash(foreign['2a'].hash)).toEqual({ version: '2a', cost: 5 })
  expect(readBcryptHash(hashAt(15, '2y'))).toEqual({ version: '2y', cost: 15 })
  // The last characters of salt and hash have bits that must be zero; Bun.password throws on these.
  expect(readBcryptHash('$2b$05$abcdefghijklmnopqrstuvVMJuoYvK8M0I1b5rQJi2HZUjQt/fvgC')).toBeUndefined()
  expect(readBcryptHash('$2b$05$abcdefghijklmnopqrstuuVMJuoYvK8M0I1b5rQJi2HZUjQt/fvgD')).toBeUndefined()
  expect(readBcryptHash(`${hashAt(10)}\n`)).toBeUndefined()
  expect(readBcryptHash(hashAt(10).replace('10', '1e'))).toBeUndefined()
})
