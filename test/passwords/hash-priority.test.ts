import { expect, test } from 'bun:test'
import { getPriority, platform } from 'node:os'
import { createHashPriority, type ThreadSystem } from '../../src/features/passwords/hash-priority.ts'
import type { Log } from '../../src/lib/log.ts'

function fakeSystem(names: string[], ownNice = 0) {
  const niced: [thread: number, nice: number][] = []
  const state = { scans: 0, names, niced }
  const system: ThreadSystem = {
    threads: () => {
      state.scans++
      return state.names.map((name, index) => ({ id: 100 + index, name }))
    },
    ownNice: () => ownNice,
    setNice: (thread, nice) => {
      niced.push([thread, nice])
    },
  }
  return { system, state }
}

function recordingLog() {
  const lines: string[] = []
  const say = (event: string) => {
    lines.push(event)
  }
  const log: Log = { debug: say, info: say, warn: say, error: say }
  return { log, lines }
}

test('lowers only the threads of the pool, as they start, and then stops looking', () => {
  const { system, state } = fakeSystem(['bun', 'JITWorker', 'Bun Pool 0'])
  const { log, lines } = recordingLog()
  const lower = createHashPriority({ nice: 10, log, system, poolSize: 2 })
  expect(state.scans).toBe(0)
  lower()
  expect(state.niced).toEqual([[102, 10]])
  state.names = [...state.names, 'HeapHelper', 'Bun Pool 1']
  lower()
  expect(state.niced).toEqual([
    [102, 10],
    [104, 10],
  ])
  lower()
  lower()
  expect(state.scans).toBe(2)
  expect(lines).toEqual(['hash_priority_lowered'])
})

test('0 does not change the threads', () => {
  const { system, state } = fakeSystem(['Bun Pool 0', 'Bun Pool 1'])
  createHashPriority({ nice: 0, system, poolSize: 2 })()
  expect(state).toMatchObject({ scans: 0, niced: [] })
})

test('is added to the niceness of the process, up to the limit of 19', () => {
  const { system, state } = fakeSystem(['Bun Pool 0'], 15)
  createHashPriority({ nice: 10, system, poolSize: 1 })()
  expect(state.niced).toEqual([[100, 19]])
})

test('stops after the system refuses it once, and logs that once', () => {
  const { system, state } = fakeSystem(['Bun Pool 0'])
  const { log, lines } = recordingLog()
  const refusing: ThreadSystem = {
    ...system,
    setNice: () => {
      throw new Error('EPERM')
    },
  }
  const lower = createHashPriority({ nice: 10, log, system: refusing, poolSize: 1 })
  lower()
  lower()
  expect(state.scans).toBe(1)
  expect(lines).toEqual(['hash_priority_unchanged'])
})

test('does nothing on systems where threads have no priority', () => {
  const { log, lines } = recordingLog()
  createHashPriority({ nice: 10, log, system: null, poolSize: 1 })()
  expect(lines).toEqual([])
})

test.if(platform() === 'linux')('lowers the real threads of this process, except the main thread', async () => {
  const { log, lines } = recordingLog()
  const own = getPriority()
  const lower = createHashPriority({ nice: 1, log })
  const hash = () => Bun.password.hash('some password', { algorithm: 'bcrypt', cost: 4 })
  // The pool starts a thread when there is more work than threads; a few rounds start them all.
  for (let round = 0; round < 50 && lines.length === 0; round++) {
    await Promise.all(Array.from({ length: 64 }, hash))
    lower()
  }
  expect(lines).toEqual(['hash_priority_lowered'])
  expect(getPriority()).toBe(own)
})
