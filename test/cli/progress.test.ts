import { expect, test } from 'bun:test'
import { commandContext } from '../../src/cli/output.ts'
import { startProgress } from '../../src/cli/progress.ts'
import { processContext } from '../support/cli.ts'
import { type ManualClock, manualClock } from '../support/clock.ts'

/** What a terminal shows as its last line, after each write. */
function openTerminal(clock: ManualClock, columns: number | undefined) {
  let written = ''
  const printError = (text: string) => {
    written += text
  }
  const context = commandContext(processContext({ clock, errorColumns: () => columns, printError }))
  const shown = () => written.split(/\n|\r\x1b\[K/).at(-1)
  return { context, shown, written: () => written }
}

const counted = { verb: 'Imported', units: 'users', total: 1_000_000 }

test('progress shows share, count, rate and remaining time, at most ten times a second', async () => {
  const clock = manualClock()
  const { context, shown } = openTerminal(clock, 100)
  const progress = startProgress(context, counted)
  progress.report(1)
  expect(shown()).toBe('')
  await clock.advance(100)
  progress.report(2_000)
  expect(shown()).toBe('[                    ]    0%  Imported 2,000 of 1,000,000 users  20,000/s  50 s left')
  await clock.advance(99)
  progress.report(3_000)
  expect(shown()).toStartWith('[                    ]    0%  Imported 2,000 of')
  await clock.advance(9_801)
  progress.report(250_000)
  expect(shown()).toBe('[=====               ]   25%  Imported 250,000 of 1,000,000 users  25,000/s  30 s left')
  // The pace of the last ten seconds counts.
  await clock.advance(10_000)
  progress.report(250_000)
  expect(shown()).toBe('[=====               ]   25%  Imported 250,000 of 1,000,000 users')
  await clock.advance(10_000)
  progress.report(251_000)
  expect(shown()).toBe('[=====               ]   25%  Imported 251,000 of 1,000,000 users  100/s  2 h 5 min left')
  await clock.advance(100)
  progress.report(1_000_000)
  expect(shown()).toStartWith('[====================]  100%  Imported 1,000,000 of 1,000,000 users  ')
  expect(shown()).not.toContain('left')
  progress.end()
  expect(shown()).toBe('')
})

test('progress without a total has no bar', async () => {
  const clock = manualClock()
  const { context, shown } = openTerminal(clock, 100)
  const progress = startProgress(context, { verb: 'Read', units: 'rows' })
  await clock.advance(2_000)
  progress.report(5_000)
  expect(shown()).toBe('Read 5,000 rows  2,500/s')
})

test('the line fits the terminal, and other output takes its place', async () => {
  const clock = manualClock()
  const { context, shown, written } = openTerminal(clock, 40)
  const progress = startProgress(context, { ...counted, units: 'ユーザー\x1b[2J' })
  const draw = async () => {
    await clock.advance(1_000)
    progress.report(1_000)
  }
  await draw()
  expect(shown()).toBe('[          ]    0%  17 min left')
  context.printError('row 7: malformed hash\n')
  expect(written()).toEndWith('left\r\x1b[Krow 7: malformed hash\n')
  await draw()
  context.print('out\n')
  expect(shown()).toBe('')
  context.showStatus('ユーザー '.repeat(9))
  expect(Bun.stringWidth(shown()!)).toBeLessThan(40)
  context.showStatus('\x1b[2J')
  expect(shown()).toBe('\\u001b[2J')
})

test.each([
  [60, '[=====     ]   50%  2 s left', 'Read 500,000 rows  250,000/s'],
  [80, '[=====     ]   50%  Imported 500,000 of 1,000,000 users  2 s left', 'Read 500,000 rows  250,000/s'],
  [25, '50%  2 s left', 'Read 500,000 rows'],
  [12, '50%', '500,000'],
])('a line of %d columns has the parts that fit, and none is cut', async (columns, line, withoutTotal) => {
  const clock = manualClock()
  const { context, shown } = openTerminal(clock, columns)
  const draw = async (total: number | undefined) => {
    const progress = startProgress(context, total === undefined ? { verb: 'Read', units: 'rows' } : counted)
    await clock.advance(2_000)
    progress.report(500_000)
    return shown()
  }
  expect([await draw(1_000_000), await draw(undefined)]).toEqual([line, withoutTotal])
})

test('without a terminal nothing is shown', async () => {
  const clock = manualClock()
  const { context, written } = openTerminal(clock, undefined)
  const progress = startProgress(context, counted)
  await clock.advance(1_000)
  progress.report(10)
  progress.end()
  expect(written()).toBe('')
})
