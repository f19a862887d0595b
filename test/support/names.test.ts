import { expect, test } from 'bun:test'
import { join } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }

const root = join(import.meta.dir, '..', '..')

test('every file with tests is run by `bun run check` or by `bun run check:long`, and by one of them only', async () => {
  expect(manifest.scripts['check:all']).toBe('bun run check && bun run check:long')
  // `bun test` without paths finds the files called *.test.ts.
  expect(manifest.scripts.check).toEndWith(' && bun test --timeout 30000')
  const [, long] = / (\.\/\S+)$/.exec(manifest.scripts['check:long'])!
  const run = new Set(
    ['./test/**/*.test.ts', long!].flatMap((pattern) => [...new Bun.Glob(pattern.slice(2)).scanSync({ cwd: root })]),
  )
  const withTests = []
  for (const path of new Bun.Glob('test/**/*.{ts,tsx}').scanSync({ cwd: root }))
    if (/^import \{[^}]*\btest\b[^}]*\} from 'bun:test'$/m.test(await Bun.file(join(root, path)).text()))
      withTests.push(path)
  expect(withTests.sort()).toEqual([...run].sort())
})
