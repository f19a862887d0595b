import { afterEach, beforeEach, expect, test } from 'bun:test'
import { nextTurn } from '../../src/lib/clock.ts'
import { batchOutput, type Sink } from '../../src/lib/output.ts'

const MIB = 1024 * 1024
const noSpace = Object.assign(new Error('no space left'), { code: 'ENOSPC' })

/** Takes what it is given as `how` says, and remembers it. */
function sinkThat(how: (text: string) => number | Promise<number>) {
  const written: string[] = []
  const sink: Sink = {
    write: (text) => {
      written.push(String(text))
      return how(String(text))
    },
    flush: () => 0,
  }
  return { written, output: batchOutput(sink) }
}

const unhandled: unknown[] = []
const remember = (error: unknown) => unhandled.push(error)
beforeEach(() => {
  unhandled.length = 0
  process.on('unhandledRejection', remember)
})
afterEach(() => {
  process.off('unhandledRejection', remember)
  expect(unhandled).toEqual([])
})

test('what one turn writes goes out at once and in order, and nothing else with it', async () => {
  const { written, output } = sinkThat((text) => text.length)
  output.write('a\n')
  output.writeLog('b\n')
  expect(written).toEqual([])
  await nextTurn()
  output.write('c\n')
  expect(written).toEqual(['a\nb\n'])
  expect(await output.end()).toBeUndefined()
  expect(written).toEqual(['a\nb\n', 'c\n'])
})

test('`end` waits until all has arrived', async () => {
  const reading = Promise.withResolvers<number>()
  const { output } = sinkThat(() => reading.promise)
  output.write('late\n')
  let ended = false
  const end = output.end().then(() => {
    ended = true
  })
  await nextTurn()
  expect(ended).toBe(false)
  reading.resolve(5)
  await end
  expect(ended).toBe(true)
})

test.each([
  ['throws', () => thrown()],
  ['rejects', () => Promise.reject(noSpace)],
] as const)('a write that %s is told at the end, ends nothing, and cuts off no later line', async (_, fails) => {
  let full = true
  const { written, output } = sinkThat((text) => (full ? fails() : text.length))
  output.writeLog('lost\n')
  await nextTurn()
  await nextTurn()
  full = false
  output.writeLog('kept\n')
  await nextTurn()
  output.writeLog('also kept\n')
  expect(await output.end()).toBe('ENOSPC')
  expect(written).toEqual(['lost\n', '\nkept\n', 'also kept\n'])
})

test('of a log as much waits for its reader as memory may be spent on, of all else what there is', async () => {
  const reading = Promise.withResolvers<number>()
  const { written, output } = sinkThat(() => reading.promise)
  const line = `${'x'.repeat(MIB - 1)}\n`
  for (let i = 0; i < 10; i++) {
    output.writeLog(line)
    await nextTurn()
  }
  expect(written.length).toBe(8)
  output.write('must arrive\n')
  await nextTurn()
  expect(written.at(-1)).toBe('must arrive\n')
  reading.resolve(0)
  await output.end()
  output.writeLog('read again\n')
  await output.end()
  expect(written.slice(8)).toEqual(['must arrive\n', 'read again\n'])
})

function thrown(): never {
  throw noSpace
}
