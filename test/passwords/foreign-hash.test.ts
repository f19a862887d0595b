import { describe, expect, test } from 'bun:test'
import { scryptSync } from 'node:crypto'
import { createForeignVerifier } from '../../src/features/passwords/foreign-hash.ts'
import { createPasswords, type PasswordsNeeds, readImportedHash } from '../../src/features/passwords/passwords.ts'
import { manualClock } from '../support/clock.ts'
import { hasPythonModules } from '../support/programs.ts'
import { firebase, fixturePassword, fixtures, pythonHashes } from './foreign-hashes.ts'

const setUp = (options: Partial<PasswordsNeeds> = {}) =>
  createPasswords({
    minLength: 8,
    cost: 4,
    maxWaitMs: 60_000,
    nice: 0,
    fairness: true,
    clock: manualClock(),
    ...options,
  })

function stored(text: string) {
  const read = readImportedHash(text)
  if ('problem' in read) throw new Error(read.problem)
  expect(read.scheme).toBe('foreign')
  // An import reads the text once, and each login reads what the import has stored.
  expect(readImportedHash(read.hash)).toEqual(read)
  return read
}

async function expectVerified(text: string, password: string): Promise<void> {
  const passwords = setUp()
  expect(await passwords.verify(password, stored(text))).toEqual({ ok: true, rehash: true })
  for (const wrong of [`${password}x`, password.toUpperCase(), 'x'])
    expect(await passwords.verify(wrong, stored(text))).toEqual({ ok: false, rehash: false })
}

test.skipIf(!hasPythonModules('django', 'passlib', 'argon2', 'bcrypt'))(
  '14.5 verifies the hashes that Django, passlib and argon2-cffi make, once, and asks for a new hash',
  async () => {
    // The letter has two Unicode forms. The other service hashed the form that was typed.
    const password = 'cafe\u0301 au lait'
    const hashes = Object.entries(pythonHashes(password))
    expect(hashes).toHaveLength(11)
    for (const [, hash] of hashes) await expectVerified(hash, password)
  },
  60_000,
)

test('14.5 better-auth hashes the password in NFKC, and Django writes its name before a hash of bcrypt', async () => {
  const salt = '1c50892c354da5b23ec3b5007649bc6e'
  const key = scryptSync('file au lait', salt, 64, { N: 16_384, r: 16, p: 1, maxmem: 2 ** 26 })
  await expectVerified(`${salt}:${key.toString('hex')}`, '\ufb01le au lait')
  const bcrypt = await Bun.password.hash(fixturePassword, { algorithm: 'bcrypt', cost: 4 })
  expect(readImportedHash(`bcrypt$${bcrypt}`)).toEqual({ hash: bcrypt, scheme: 'bcrypt' })
  expect(readImportedHash(`bcrypt_sha256$${bcrypt.replace('$04$', '$16$')}`)).toEqual({
    problem: 'the password hash is malformed',
  })
})

for (const [name, hash] of Object.entries(fixtures))
  test(`14.5 verifies a hash in the format of ${name}, and asks for a new hash`, () =>
    expectVerified(hash, fixturePassword))

test('14.5 verifies the published example of Firebase, and asks for a new hash', () =>
  expectVerified(firebase.hash, firebase.password))

test('14.5 an inactive account is refused with the right foreign hash too', async () => {
  const hash = { ...stored(fixtures['django scrypt']!), isOfInactive: true }
  expect(await setUp().verify(fixturePassword, hash)).toEqual({ ok: false, rehash: false })
})

const salt = Buffer.alloc(16, 7).toString('base64').replaceAll('=', '')
const bytes = (length: number) => Buffer.alloc(length, 9).toString('base64').replaceAll('=', '')
const hash32 = bytes(32)

describe('14.5 the bounds of cost: an import', () => {
  const argon2 = (m: number, t: number, p = 1) => `$argon2id$v=19$m=${m},t=${t},p=${p}$${salt}$${hash32}`
  const phc = (ln: number, r: number, p: number) => `$scrypt$ln=${ln},r=${r},p=${p}$${salt}$${hash32}`
  const fb = (n: number, r: number, p = 1) =>
    `$fbscrypt$v=1,n=${n},r=${r},p=${p},ss=Bw==,sk=${hash32}$${salt}$${hash32}`

  test.each([
    argon2(131_072, 4),
    argon2(19_456, 26),
    argon2(128, 4_096, 16),
    phc(17, 8, 1),
    phc(14, 8, 8),
    `scrypt$131072$salt$8$1$${hash32}`,
    fb(17, 8),
    `pbkdf2_sha256$2000000$salt$${hash32}`,
    `$pbkdf2-sha256$1000000$${salt}$${bytes(64)}`,
    `pbkdf2_sha512$2000000$salt$${bytes(64)}`,
  ])('accepts %s', (text) => {
    expect(readImportedHash(text)).toEqual({ hash: text, scheme: 'foreign' })
  })

  test.each([
    argon2(131_073, 1),
    argon2(131_072, 5),
    argon2(4_294_967_295, 1),
    argon2(19_456, 4_294_967_295),
    argon2(1_024, 1, 17),
    phc(18, 8, 1),
    phc(14, 8, 9),
    phc(40, 8, 1),
    phc(2, 65_535, 5),
    `scrypt$262144$salt$8$1$${hash32}`,
    fb(18, 8),
    `pbkdf2_sha256$2000001$salt$${hash32}`,
    `$pbkdf2-sha256$1000001$${salt}$${bytes(64)}`,
    `{"secretData":{"value":"${hash32}","salt":"${salt}"},"credentialData":{"hashIterations":2000001,"algorithm":"pbkdf2-sha256"}}`,
  ])('refuses %s', (text) => {
    expect(readImportedHash(text)).toEqual({
      problem: 'the password hash needs more time or memory than Keyward allows',
    })
  })
})

test('14.5 malformed hashes are refused, with no part of them in the reason', () => {
  const good = [
    `$argon2id$v=19$m=1024,t=2,p=1$${salt}$${hash32}`,
    `$scrypt$ln=14,r=8,p=1$${salt}$${hash32}`,
    `pbkdf2_sha256$1000$salt$${hash32}`,
    firebase.hash,
    fixtures['keycloak argon2']!,
  ]
  const malformed = [
    ...good.map((text) => text.slice(0, -1 - 32)),
    ...good.map((text) => `${text}$`),
    ...good.map((text) => `${text} `).slice(0, 4),
    ...good.map((text) => text.replace(/[=$](14|1000|m=1024)/, (all) => all.replace(/\d+/, '0'))).slice(0, 4),
    `$argon2d$v=19$m=1024,t=2,p=1$${salt}$${hash32}`,
    `$argon2id$v=16$m=1024,t=2,p=1$${salt}$${hash32}`,
    `$argon2id$v=19$m=1024,t=2,p=1$${salt}$${bytes(15)}`,
    `$argon2id$v=19$m=7,t=2,p=1$${salt}$${hash32}`,
    `$argon2id$v=19$m=1024,t=2,p=1$${bytes(7)}$${hash32}`,
    `$scrypt$ln=14,r=8,p=1$${salt}$${bytes(4)}`,
    `${'ab'.repeat(16)}:${'9'.repeat(33)}`,
    `${'a'.repeat(129)}:${'9'.repeat(32)}`,
    `scrypt$16383$salt$8$1$${hash32}`,
    `pbkdf2_sha256$1000$salt$${bytes(4)}`,
    `pbkdf2_md5$1000$salt$${hash32}`,
    '{"secretData":"{","credentialData":{}}',
    '{"secretData":{"value":"a","salt":"b"},"credentialData":{"algorithm":"argon2"}}',
    `$argon2id$${'x'.repeat(5_000)}`,
  ]
  for (const text of malformed)
    expect([text, readImportedHash(text)]).toEqual([text, { problem: 'the password hash is malformed' }])
  for (const text of ['', 'secret', 'sha1$salt$00', '5f4dcc3b5aa765d61d8327deb882cf99', 'md5$a$b'])
    expect(readImportedHash(text)).toEqual({
      problem: 'the password hash is not bcrypt, Argon2, scrypt or PBKDF2 in a spelling that Keyward reads',
    })
})

describe('14.5, B9: the time of a wrong password for a foreign hash', () => {
  const pbkdf2 = stored(`pbkdf2_sha256$1$salt$${hash32}`)

  /** A bcrypt at cost 12 that takes 240 ms of the clock, and other costs accordingly. */
  function timed(foreignMs: number) {
    const clock = manualClock()
    const start = clock.monotonic()
    let first = true
    const passwords = setUp({
      cost: 12,
      bcrypt: {
        hash: async (_password, cost) => {
          clock.advance(240 / 2 ** (12 - cost))
          return ''
        },
        verify: async () => false,
      },
      clock: {
        ...clock,
        // The second reading after the start of the verification is that of its end.
        monotonic: () => {
          readings++
          if (first && readings === readingAtEnd) {
            first = false
            clock.advance(foreignMs)
          }
          return clock.monotonic()
        },
      },
    })
    let readings = 0
    const readingAtEnd = 5
    return { passwords, spentMs: () => clock.monotonic() - start }
  }

  test.each([0, 1, 30, 120, 200, 239])('is that of an unknown account when the hash takes %d ms', async (foreignMs) => {
    const unknown = timed(0)
    await unknown.passwords.verify('wrong', undefined)
    const { passwords, spentMs } = timed(foreignMs)
    expect(await passwords.verify('wrong', pbkdf2)).toEqual({ ok: false, rehash: false })
    expect(Math.abs(spentMs() - unknown.spentMs())).toBeLessThanOrEqual(240 / 256)
  })

  test('is that of the foreign hash alone when the hash takes longer', async () => {
    const { passwords, spentMs } = timed(500)
    await passwords.verify('wrong', pbkdf2)
    expect(spentMs()).toBe(500)
  })
})

test('14.5 foreign hashes wait in the hash gate', async () => {
  const clock = { ...manualClock(), sleep: async () => {} }
  const passwords = setUp({ cost: 4, maxWaitMs: 0, concurrency: 1, clock })
  const hash = stored(fixtures['django scrypt']!)
  const first = passwords.verify(fixturePassword, hash, { client: '192.0.2.1' })
  await expect(passwords.verify(fixturePassword, hash, { client: '192.0.2.2' })).rejects.toMatchObject({
    code: 'overloaded',
  })
  expect((await first).ok).toBe(true)
})

test('14.5 at most two hashes that fill memory are verified at the same time, and any number of others', async () => {
  const verify = createForeignVerifier()
  const most = async (fillsMemory: boolean, fails = false) => {
    let running = 0
    let highest = 0
    const hash = {
      fillsMemory,
      async verify() {
        highest = Math.max(highest, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (fails) throw new Error('no memory')
        return true
      },
    }
    await Promise.allSettled(Array.from({ length: 7 }, () => verify(hash, new Uint8Array())))
    return highest
  }
  expect(await most(true)).toBe(2)
  expect(await most(true, true)).toBe(2)
  expect(await most(true)).toBe(2)
  expect(await most(false)).toBe(7)
})
