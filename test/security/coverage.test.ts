import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { Glob } from 'bun'

const readme = await Bun.file(join(import.meta.dir, 'README.md')).text()
const [proved = '', notYet = ''] = readme.split('## Not proved yet\n')

/** The rules of a part of README in order, one line each: `- **A7** A password is …`. */
const rulesIn = (text: string) => [...text.matchAll(/^- \*\*([A-Z]\d{1,2})\*\* [A-Z`].*\.$/gm)].map(([, id]) => id!)

/** The ids that the names of tests begin with: `A7, B1: are exact …`. The line of an issue may stand before them. */
async function idsInNames(): Promise<Set<string>> {
  const found = new Set<string>()
  for await (const path of new Glob('**/*.{test,check}.ts').scan(`${import.meta.dir}/..`)) {
    const text = await Bun.file(`${import.meta.dir}/../${path}`).text()
    for (const [, , names] of text.matchAll(/\(\s*(['"`])(?:1[34]\.\d+ )?((?:[A-Z]\d{1,2}, )*[A-Z]\d{1,2}): /g))
      for (const id of names!.split(', ')) found.add(id)
  }
  return found
}

describe('the list of security rules', () => {
  test('contains every rule once, in a line that this test can read', () => {
    const ids = [...rulesIn(proved), ...rulesIn(notYet)]
    expect(ids).toHaveLength(readme.match(/^- \*\*/gm)!.length)
    expect(ids.length).toBeGreaterThan(120)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('names only rules that have a test', async () => {
    const named = await idsInNames()
    expect(rulesIn(proved).filter((id) => !named.has(id))).toEqual([])
  })

  test('contains every rule that a test names, as a proved one', async () => {
    const listed = new Set(rulesIn(proved))
    expect([...(await idsInNames())].filter((id) => !listed.has(id))).toEqual([])
  })

  test('is covered by tests that are not skipped', async () => {
    const skipped: string[] = []
    for await (const path of new Glob('**/*.{test,check}.ts').scan(`${import.meta.dir}/..`))
      if (/\b(test|it|describe)\.(skip|todo|only)\(/.test(await Bun.file(`${import.meta.dir}/../${path}`).text()))
        skipped.push(path)
    expect(skipped).toEqual([])
  })
})
