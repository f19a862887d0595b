import { afterEach, describe, expect, test } from 'bun:test'
import { compactVerify, importJWK } from 'jose'
import {
  exportPrivateKey,
  exportPublicJwk,
  generateSigningKey,
  type SigningKey,
  verificationKey,
} from '../../src/features/signing-keys/jwk.ts'
import { signWith, verifyBytes } from '../../src/features/tokens/jws.ts'
import { createRsaSigner, type RsaSigner, type RsaThread } from '../../src/features/tokens/rsa-signing.ts'
import { MINUTE, SECOND } from '../../src/lib/clock.ts'
import { utf8 } from '../../src/lib/encoding.ts'
import { createLog } from '../../src/lib/log.ts'
import { manualClock } from '../support/clock.ts'

const keys = Array.from({ length: 6 }, () => generateSigningKey('RS256'))
const [key] = keys as [SigningKey]
const workerUrl = new URL('../../src/features/tokens/rsa-worker.ts', import.meta.url)

const closing: RsaSigner[] = []
afterEach(async () => {
  for (const signer of closing.splice(0)) await signer.close()
})

/** A signer and what it does with its threads. @param spoil changes a thread before the signer gets it */
function setUp({ maxThreads = 2, spoil = (thread: RsaThread) => thread } = {}) {
  const clock = manualClock()
  const logs: string[] = []
  const log = createLog({ level: 'debug', format: 'json', clock, write: (line) => logs.push(line) })
  const seen = { started: 0, ended: 0, jobs: [] as number[], keysSent: 0 }
  const startThread = (): RsaThread => {
    seen.started++
    const worker = new Worker(workerUrl, { ref: false })
    const [post, terminate] = [worker.postMessage.bind(worker), worker.terminate.bind(worker)]
    const thread = worker as unknown as RsaThread
    thread.postMessage = (jobs) => {
      seen.jobs.push(jobs.length)
      for (const { newKey } of jobs) if (newKey) seen.keysSent++
      post(jobs)
    }
    thread.terminate = () => {
      seen.ended++
      terminate()
    }
    return spoil(thread)
  }
  const signer = createRsaSigner({ clock, log, startThread, maxThreads })
  closing.push(signer)
  const failures = () => logs.map((line) => JSON.parse(line)).filter(({ event }) => event === 'rsa_thread_failed')
  return { signer, clock, seen, logs, failures }
}

let made = 0
/** Asks for signatures of different texts in one turn, and checks each with the key that should have made it. */
async function burst(signer: RsaSigner, count: number, of: readonly SigningKey[] = [key]): Promise<void> {
  const jobs = Array.from({ length: count }, (_, at) => ({ by: of[at % of.length]!, data: utf8(`text ${made++}`) }))
  const signatures = await Promise.all(jobs.map(({ by, data }) => signer.sign(by, data)))
  const valid = jobs.map(({ by, data }, at) => verifyBytes(verificationKey(by), data, signatures[at]!))
  expect(valid).toEqual(jobs.map(() => true))
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the signatures of a turn', () => {
  test('are made in threads when there are several, each thread gets its share at once and the key once', async () => {
    const { signer, seen } = setUp()
    await burst(signer, 12)
    expect(seen).toEqual({ started: 2, ended: 0, jobs: [6, 6], keysSent: 2 })
    await burst(signer, 3)
    expect(seen).toEqual({ started: 2, ended: 0, jobs: [6, 6, 2, 1], keysSent: 2 })
    const publicKey = await importJWK(exportPublicJwk(key), 'RS256')
    const tokens = await Promise.all([1, 2, 3].map((n) => signWith(signer, key, { n }, 'JWT')))
    for (const [at, token] of tokens.entries()) {
      const { payload } = await compactVerify(token, publicKey)
      expect(JSON.parse(new TextDecoder().decode(payload))).toEqual({ n: at + 1 })
    }
  })

  test('start no thread when there is one, or when no thread is allowed', async () => {
    const { signer, seen } = setUp()
    for (let n = 0; n < 3; n++) await burst(signer, 1)
    const without = setUp({ maxThreads: 0 })
    await burst(without.signer, 4)
    const es256 = generateSigningKey('ES256')
    await burst(signer, 4, [es256])
    expect([seen.started, without.seen.started]).toEqual([0, 0])
  })

  test('have the key of each job, also when the keys change and threads forget the former ones', async () => {
    const { signer, seen } = setUp({ maxThreads: 1 })
    await burst(signer, 12, keys)
    await burst(signer, 4, keys.slice(0, 2))
    expect(seen).toMatchObject({ started: 1, jobs: [12, 4] })
    expect(seen.keysSent).toBeGreaterThan(keys.length)
  })
})

describe('nothing is lost when a thread', () => {
  const spoilers: Record<string, (thread: RsaThread) => RsaThread> = {
    'throws at a job': (thread) => {
      const post = thread.postMessage
      thread.postMessage = (jobs) => post(jobs.map((job, at) => (at === 2 ? { ...job, kid: 'unknown' } : job)))
      return thread
    },
    ends: (thread) => {
      const post = thread.postMessage
      thread.postMessage = (jobs) => {
        post(jobs)
        Worker.prototype.terminate.call(thread)
      }
      return thread
    },
    'cannot start': () => {
      throw new Error('no more threads')
    },
  }
  test.each(Object.entries(spoilers))('%s', async (_, spoil) => {
    const { signer, seen, failures, logs } = setUp({ maxThreads: 1, spoil })
    for (let n = 0; n < 4; n++) await burst(signer, 8)
    // After three failures the signer makes all signatures itself.
    expect(seen.started).toBe(3)
    expect(failures().map((line) => line.given_up)).toEqual([false, false, true])
    expect(logs.join('')).not.toContain(Buffer.from(exportPrivateKey(key)).toString('base64').slice(100, 140))
  })

  test('is silent', async () => {
    let isSilent = true
    const { signer, seen, clock, failures } = setUp({
      maxThreads: 1,
      spoil: (thread) => {
        const post = thread.postMessage
        thread.postMessage = (jobs) => {
          if (!isSilent) post(jobs)
        }
        return thread
      },
    })
    const waiting = burst(signer, 8)
    await turn()
    await clock.advance(5 * SECOND)
    // More jobs do not make the thread look alive.
    const more = burst(signer, 1)
    await turn()
    await clock.advance(5 * SECOND)
    await Promise.all([waiting, more])
    expect(failures()).toMatchObject([{ reason: 'silent', jobs: 9, given_up: false }])
    expect(seen).toMatchObject({ started: 1, ended: 1 })
    isSilent = false
    await burst(signer, 8)
    expect(seen).toMatchObject({ started: 2, ended: 1 })
  })
})

test('a thread ends after a minute without a job, and the next burst starts another', async () => {
  const { signer, seen, clock, failures } = setUp()
  await burst(signer, 8)
  await clock.advance(55 * SECOND)
  await burst(signer, 2)
  await clock.advance(55 * SECOND)
  expect(seen.ended).toBe(0)
  await clock.advance(5 * SECOND)
  expect(seen).toMatchObject({ started: 2, ended: 2 })
  await clock.advance(MINUTE)
  await burst(signer, 8)
  expect(seen).toMatchObject({ started: 4, ended: 2 })
  expect(failures()).toEqual([])
})

test('the signer closes when all signatures are made, and goes on without threads', async () => {
  const { signer, seen } = setUp()
  await burst(signer, 4)
  let settled = 0
  const jobs = Array.from({ length: 40 }, () => burst(signer, 1).then(() => settled++))
  // The jobs of the next turn are not at a thread yet.
  await turn()
  jobs.push(...Array.from({ length: 5 }, () => burst(signer, 1).then(() => settled++)))
  await signer.close()
  expect(seen).toMatchObject({ started: 2, ended: 2 })
  await Promise.all(jobs)
  expect(settled).toBe(45)
  await burst(signer, 4)
  expect(seen.started).toBe(2)
})
