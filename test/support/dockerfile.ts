import {
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { type Copy, DockerfileParser, type Instruction } from 'dockerfile-ast'

/** The settings with which a container of the image starts, and the files that it sees. */
export interface BuiltImage {
  /** The folder that contains the root of the last stage. */
  root: string
  env: Record<string, string>
  user: string
  workdir: string
  volumes: string[]
  entrypoint: string[]
  cmd: string[]
  healthcheck: string[]
}

interface Stage {
  base: string
  root: string
  workdir: string
  image: Omit<BuiltImage, 'root' | 'workdir'>
}

/**
 * Builds a Dockerfile without an engine, as far as ours needs it. Each stage is a folder, COPY copies, RUN runs on this
 * machine in the folder of WORKDIR, so its commands name their files relative to that. A base image other than
 * `scratch` is this machine. An unknown instruction or flag is an error.
 * @param environment for RUN
 */
export async function buildImage(
  file: string,
  into: string,
  environment: Record<string, string>,
): Promise<{ image: BuiltImage; bases: string[] }> {
  const context = dirname(file)
  const stages = new Map<string, Stage>()
  let stage: Stage | undefined
  for (const instruction of DockerfileParser.parse(readFileSync(file, 'utf8')).getInstructions()) {
    const words = instruction.getArguments().map((word) => word.getValue())
    const keyword = instruction.getKeyword()
    if (keyword === 'FROM') {
      const [base = '', , name = ''] = words
      stage = { base, root: join(into, `stage-${stages.size}`), workdir: '/', image: emptyImage() }
      mkdirSync(stage.root, { recursive: true })
      stages.set(name, stage)
      continue
    }
    if (stage === undefined) throw new Error(`${keyword} before FROM`)
    if (keyword === 'COPY') copy(instruction, stage, stages, context)
    else if (keyword === 'RUN') await runStep(instruction, stage, environment)
    else if (keyword === 'WORKDIR') {
      stage.workdir = posix.resolve(stage.workdir, words[0]!)
      mkdirSync(join(stage.root, stage.workdir), { recursive: true })
    } else note(keyword, words, instruction, stage.image)
  }
  if (stage === undefined) throw new Error('no stage')
  return {
    image: { ...stage.image, root: stage.root, workdir: stage.workdir },
    bases: [...stages.values()].map(({ base }) => base),
  }
}

const emptyImage = (): Stage['image'] => ({
  env: {},
  user: '0:0',
  volumes: [],
  entrypoint: [],
  cmd: [],
  healthcheck: [],
})

function note(keyword: string, words: string[], instruction: Instruction, image: Stage['image']): void {
  switch (keyword) {
    case 'ENV':
      for (const word of words) image.env[word.slice(0, word.indexOf('='))] = word.slice(word.indexOf('=') + 1)
      break
    case 'USER':
      image.user = words[0]!
      break
    case 'VOLUME':
      image.volumes.push(...words)
      break
    case 'EXPOSE':
      break
    case 'ENTRYPOINT':
      image.entrypoint = execForm(instruction)
      break
    case 'CMD':
      image.cmd = execForm(instruction)
      break
    case 'HEALTHCHECK':
      image.healthcheck = execForm(instruction)
      break
    default:
      throw new Error(`this builder does not know ${keyword}`)
  }
}

/** The JSON array of an instruction; the other form needs a shell. */
function execForm(instruction: Instruction): string[] {
  const array = /\[.*\]\s*$/s.exec(rawText(instruction))
  if (!array) throw new Error(`${instruction.getKeyword()} needs a shell`)
  return JSON.parse(array[0]) as string[]
}

const rawText = (instruction: Instruction): string => instruction.getRawArgumentsContent() ?? ''

async function runStep(instruction: Instruction, { root, workdir }: Stage, env: Record<string, string>): Promise<void> {
  const script = rawText(instruction).replace(/\\\r?\n/g, '')
  const child = Bun.spawn(['/bin/sh', '-ec', script], {
    cwd: join(root, workdir),
    env,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  if (code !== 0) throw new Error(`RUN ${script} ended with ${code}: ${out}${err}`)
}

function copy(instruction: Instruction, stage: Stage, stages: Map<string, Stage>, context: string): void {
  const paths = rawText(instruction).trim().split(/\s+/)
  const flags = new Map((instruction as Copy).getFlags().map((flag) => [flag.getName(), flag.getValue() ?? '']))
  const known = ['from', 'chown']
  if ([...flags.keys()].some((name) => !known.includes(name))) throw new Error(`COPY with ${[...flags.keys()]}`)
  const destination = paths.pop()!
  const from = flags.get('from')
  const origin = from === undefined ? context : stages.get(from)?.root
  if (origin === undefined) throw new Error(`COPY from ${from}, which is no stage`)
  const owner = (flags.get('chown') ?? '0:0').split(':').map(Number)
  const sent = from === undefined ? sentToBuilder(context) : () => true
  for (const path of paths) {
    const source = join(origin, path)
    const target = join(stage.root, posix.resolve(stage.workdir, destination))
    const whole =
      destination.endsWith('/') && !statSync(source).isDirectory() ? join(target, posix.basename(path)) : target
    copyTree(source, whole, (at) => sent(at.slice(context.length + 1)), owner)
  }
}

/** The files that `.dockerignore` allows: ours excludes everything and names exceptions. */
function sentToBuilder(context: string): (path: string) => boolean {
  const [first, ...lines] = readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (first !== '*' || lines.some((line) => !/^![\w.]+$/.test(line)))
    throw new Error('.dockerignore is not a list of !names')
  const names = new Set(lines.map((line) => line.slice(1)))
  return (path) => path === '' || names.has(path.split('/', 1)[0]!)
}

/** Copies as an image does: the named owner replaces the original one; modes stay. */
function copyTree(source: string, target: string, wanted: (path: string) => boolean, owner: number[]): void {
  if (!wanted(source.replace(/\/\.?$/, ''))) return
  const stat = lstatSync(source)
  if (stat.isDirectory()) {
    mkdirSync(target, { recursive: true })
    for (const name of readdirSync(source)) copyTree(join(source, name), join(target, name), wanted, owner)
  } else {
    mkdirSync(dirname(target), { recursive: true })
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target)
    else copyFileSync(source, target)
  }
  if (process.getuid?.() === 0) chownSync(target, owner[0]!, owner[1]!)
}
