import { expect, test } from 'bun:test'
import { preferredLocale } from '../../src/lib/locale.ts'

test('13.3 the language of Accept-Language is the known one with the highest weight', () => {
  for (const [header, locale] of [
    ['de', 'de'],
    ['de-AT', 'de'],
    ['DE', 'de'],
    ['pt-BR, fr;q=0.8, en;q=0.9', 'en'],
    ['fr;q=0.5,es;q=0.5', 'fr'],
    ['ja;q=0, en;q=0.1', 'en'],
    ['zh-Hant-TW, ja', 'ja'],
    ['pt', undefined],
    ['*', undefined],
    ['', undefined],
    [null, undefined],
    ['de;q=2', undefined],
    ['de;q=x', undefined],
    [`${'x,'.repeat(600)}de`, undefined],
  ] as const)
    expect([header, preferredLocale(header)]).toEqual([header, locale])
})
