import { existsSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scratchFolder } from '../support/scratch.ts'

/** The last commit before the OpenID provider. */
export const BEFORE = 'df0937c'

/**
 * Builds the executable of `BEFORE`, once on this machine.
 * @returns its path; undefined when the commit is not here, as in a shallow clone
 */
export async function binaryBefore(): Promise<string | undefined> {
  const kept = join(tmpdir(), `keyward-${BEFORE}`)
  if (existsSync(kept)) return kept
  const source = scratchFolder('before')
  const archive = join(source, 'source.tar')
  if (!(await runs(join(import.meta.dir, '..', '..'), `git archive -o '${archive}' ${BEFORE}`))) return undefined
  // Built beside and renamed: an interrupted copy must not count as the executable.
  const draft = `${kept}.${process.pid}`
  const build = `tar -xf source.tar && bun install --frozen-lockfile && bun run compile && cp dist/keyward '${draft}'`
  if (!(await runs(source, build))) throw new Error(`the executable of ${BEFORE} cannot be built`)
  renameSync(draft, kept)
  return kept
}

async function runs(cwd: string, command: string): Promise<boolean> {
  const env = { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env.PATH ?? ''}` }
  const output = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const
  return (await Bun.spawn(['/bin/sh', '-c', command], { cwd, env, ...output }).exited) === 0
}
