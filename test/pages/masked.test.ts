import { expect, test } from 'bun:test'
import { masked } from '../../src/pages/masked.ts'
import { seededRandom } from '../support/random.ts'

test.each([
  ['mia.smith@example.com', 'mia.smyth@example.com', 'm•••i•••@e•••.com', 'm•••y•••@e•••.com'],
  ['mia@example.com', 'mia2@example.com', 'm•••@e•••.com', 'm•••2•••@e•••.com'],
  ['mia@example.com', 'mia@exemple.com', 'm•••@e•••a•••.com', 'm•••@e•••e•••.com'],
  ['mia@example.com', 'mia@eu.example.com', 'm•••@e•••x•••.com', 'm•••@e•••u•••.com'],
  ['max@exemple.com', 'mia@example.com', 'm•••a•••@e•••.com', 'm•••i•••@e•••.com'],
  ['mia@example.com', 'mia@example.org', 'm•••@e•••.com', 'm•••@e•••.org'],
  ['mia@example.com', 'ada@example.com', 'm•••@e•••.com', 'a•••@e•••.com'],
  ['mia@example.com', 'mia@example.com', 'm•••@e•••.com', 'm•••@e•••.com'],
])('13.5 %s beside %s', (one, other, ofOne, ofOther) => {
  expect([masked(one, other), masked(other, one)]).toEqual([ofOne, ofOther])
})

test('13.5 two addresses look different exactly if they are, and at most one character more is shown of each', () => {
  const random = seededRandom()
  const pick = (texts: readonly string[]) => texts[Math.floor(random.fraction() * texts.length)]!
  const text = () => pick(['', 'm', 'mi', 'n']) + pick(['', 'a', 'b', '.', 'aa', 'ab', 'é']) + pick(['x', 'a', 'b'])
  const address = () =>
    `${text()}@${pick(['e', 'f', 'e.e', 'ea.e'])}${pick(['', 'a', 'b'])}${pick(['', '.com', '.org'])}`
  const letters = (shown: string) => shown.replaceAll('•••', '')
  let alike = 0
  for (let i = 0; i < 3000; i++) {
    const [one, other] = [address(), address()]
    const pair = [masked(one, other), masked(other, one)]
    expect([one, other, pair[0] === pair[1]]).toEqual([one, other, one === other])
    if (masked(one) !== masked(other)) expect(pair).toEqual([masked(one), masked(other)])
    else if (one !== other) alike++
    for (const [at, own] of [one, other].entries())
      expect([0, 1]).toContain(letters(pair[at]!).length - letters(masked(own)).length)
  }
  expect(alike).toBeGreaterThan(150)
})
