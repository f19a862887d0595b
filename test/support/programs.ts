/**
 * Whether the machine has these programs. `.ci/run` installs them all, so with `CI` set a missing one must fail the
 * test and not skip it. Elsewhere README's test command needs nothing but Node.
 */
export const hasPrograms = (...programs: string[]): boolean =>
  process.env.CI === 'true' || programs.every((program) => Bun.which(program) !== null)

/** Debian's Python, which has the packages `python3-*`; another `python3` may come first in PATH. */
export const PYTHON = '/usr/bin/python3'

/** As `hasPrograms`, for modules of `PYTHON`. */
export function hasPythonModules(...modules: string[]): boolean {
  if (process.env.CI === 'true') return true
  if (Bun.which(PYTHON) === null) return false
  return Bun.spawnSync([PYTHON, '-c', `import ${modules.join(', ')}`], { stderr: 'ignore' }).exitCode === 0
}

/** Runs a Python program with `input` as JSON on its standard input and parses its JSON output. */
export async function python<T>(program: string, input: unknown): Promise<T> {
  const child = Bun.spawn([PYTHON, '-c', program], { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })
  child.stdin.write(JSON.stringify(input))
  child.stdin.end()
  const [code, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  if (code !== 0) throw new Error(`python ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as T
}
