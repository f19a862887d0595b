import { expect, test } from 'bun:test'
import { join } from 'node:path'

/** What ties a test to how the service is put together, and where it goes instead. */
const reaches: [name: string, pattern: RegExp][] = [
  ['the inside of an app: use app.admin, app.keys, app.process or app.rows', /\.deps\b/],
  ['a spy or a module mock: use replace', /\bspyOn\(|\bmock\.module\(|\bjest\./],
  ['the composition root: use createTestApp', /from '[./]+\/src\/service\.ts'/],
]

test('no test outside test/support reaches into the service', async () => {
  const found: string[] = []
  const folder = join(import.meta.dir, '..')
  for await (const path of new Bun.Glob('**/*.ts').scan(folder)) {
    // The tests of the storage make it themselves, without the service.
    if (path.startsWith('support/') || path.startsWith('storage/')) continue
    const text = await Bun.file(join(folder, path)).text()
    for (const [name, pattern] of reaches) if (pattern.test(text)) found.push(`${path}: ${name}`)
  }
  expect(found).toEqual([])
})
