import { posix } from 'node:path'
import { codeOnly, importsOf, lineAt } from './source-text.ts'

export interface SourceFile {
  /** From the repository's root, with slashes: `src/features/users/store.ts`. */
  path: string
  text: string
}

/**
 * Checks source files against the rules of the source layout: what may import what, and file sizes.
 * @returns one line for each violation, `path:line: the rule`; none when all is well
 */
export const violations = (files: readonly SourceFile[]): string[] => files.flatMap(violationsOf)

function violationsOf({ path, text }: SourceFile): string[] {
  const found: string[] = []
  const at = (line: number, rule: string) => found.push(`${path}:${line}: ${rule}`)
  const code = codeOnly(text)
  const here = placeOf(path)
  if (here === undefined) at(1, 'this path has no place in the house')
  if (here?.feature !== undefined && levelOf(here.feature) === undefined)
    at(1, `feature "${here.feature}" has no level in the order of features`)
  if (/(^|\/)index\.tsx?$/.test(path)) at(1, 'no index.ts: a module is imported by its own name')
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  if (lines > MAX_LINES) at(MAX_LINES + 1, `a file has at most ${MAX_LINES} lines, this one has ${lines}`)

  for (const { specifier, typeOnly, line } of importsOf(text, code)) {
    if (here?.layer === 'errors') at(line, `errors.ts imports nothing (imports ${specifier})`)
    const packageRule = PACKAGE_RULES.find((rule) => rule.name.test(specifier) && !(typeOnly && rule.typesAnywhere))
    if (packageRule !== undefined && !packageRule.allowed.test(path))
      at(line, `${packageRule.rule} (imports ${specifier})`)
    if (!specifier.startsWith('.') || here === undefined) continue
    const target = posix.join(posix.dirname(path), specifier)
    const broken = importRule(here, placeOf(target), typeOnly, target)
    if (broken !== undefined) at(line, `${broken} (imports ${target})`)
  }

  for (const { name, allowed, rule } of CODE_RULES)
    if (!allowed?.test(path))
      for (const match of code.matchAll(name)) at(lineAt(code, match.index), `${rule} (${match[0].trim()})`)
  return found
}

interface Place {
  layer: Layer
  feature?: string
}

type Layer = (typeof layers)[number]

/** From the bottom up: a module imports its own layer and those before it. */
const layers = [
  'errors',
  'lib',
  'config',
  'storage',
  'store',
  'use case',
  'http',
  'schemas',
  'routes',
  'deps',
  'app',
  'cli',
  'main',
] as const

/** A feature imports itself and features of a lower level. */
const featureLevels = [
  // Of what happens to users and keys there is an audit row in the same transaction, so it stands below them.
  ['audit'],
  ['users', 'keys', 'mail', 'limits'],
  ['tokens', 'roles'],
  ['api-keys'],
  ['sessions'],
  ['verification'],
  ['accounts'],
  ['admin', 'pages', 'transfer', 'ops'],
]

const levelOf = (feature: string): number | undefined => {
  const level = featureLevels.findIndex((names) => names.includes(feature))
  return level === -1 ? undefined : level
}

function placeOf(path: string): Place | undefined {
  const [top, folder, ...rest] = path.replace(/\.tsx?$/, '').split('/')
  if (top !== 'src' || folder === undefined) return undefined
  if (rest.length === 0)
    return folder === 'main' || folder === 'app' || folder === 'deps' || folder === 'errors'
      ? { layer: folder }
      : undefined
  if (folder === 'features' && rest.length > 1) {
    const role = rest.at(-1)?.split('.').at(-1)
    const layer = role === 'routes' || role === 'schemas' || role === 'store' ? role : 'use case'
    return { layer, feature: rest[0] }
  }
  return folder === 'cli' || folder === 'http' || folder === 'storage' || folder === 'config' || folder === 'lib'
    ? { layer: folder }
    : undefined
}

function importRule(here: Place, there: Place | undefined, typeOnly: boolean, target: string): string | undefined {
  if (there === undefined) return /\.tsx?$/.test(target) ? 'src imports no code outside its own layers' : undefined
  if (here.layer === 'lib' && there.layer !== 'lib') return 'lib imports nothing of Keyward'
  if (there.layer === 'http' && !HTTP_IMPORTERS.has(here.layer))
    return 'http/ is imported by app.ts, routes.ts and schemas.ts only'
  if (there.layer === 'store' && here.feature !== there.feature)
    return "a feature's store.ts is imported by its own folder only: call its use case"
  if (there.layer === 'routes' && here.layer !== 'app' && here.layer !== 'routes')
    return 'a routes.ts is imported by app.ts only'
  if (here.feature !== undefined && there.feature !== undefined && here.feature !== there.feature) {
    const [mine, theirs] = [levelOf(here.feature), levelOf(there.feature)]
    if (mine !== undefined && theirs !== undefined && theirs >= mine)
      return `feature ${here.feature} imports features of a lower level only, ${there.feature} is none`
  }
  if (layers.indexOf(there.layer) <= layers.indexOf(here.layer)) return undefined
  const inFeature = here.feature !== undefined || here.layer === 'http'
  // Types of the composition root say what a use case is handed; a store may be typed by the rules that it serves.
  if (typeOnly && there.layer === 'deps' && inFeature) return undefined
  if (typeOnly && here.layer === 'store' && there.layer === 'use case') return undefined
  return `imports point down, from main to lib: ${here.layer} does not import ${there.layer}`
}

const HTTP_IMPORTERS: ReadonlySet<Layer> = new Set(['http', 'app', 'routes', 'schemas'])

const MAX_LINES = 300

interface PackageRule {
  name: RegExp
  allowed: RegExp
  /** A type costs nothing at run time and binds nobody. */
  typesAnywhere?: boolean
  rule: string
}

const WIRE = String.raw`^src/(app\.tsx?$|http/|features/[^/]+/(.*[./])?(routes|schemas)\.tsx?$)`

const OPENERS = /^src\/storage\/(sqlite-file|postgres|foreign)\.ts$/
const OPENERS_RULE = 'databases are opened in storage/sqlite-file.ts, storage/postgres.ts and storage/foreign.ts only'

const PACKAGE_RULES: readonly PackageRule[] = [
  {
    name: /^@elysiajs\/jwt$/,
    allowed: new RegExp(String.raw`${WIRE}|^src/features/(tokens|sessions)/device-token\.ts$`),
    rule: '@elysiajs/jwt makes the device token, in device-token.ts, and is named in HTTP modules only',
  },
  {
    name: /^(elysia|@elysiajs\/[^/]+|@sinclair\/typebox)(\/|$)/,
    allowed: new RegExp(WIRE),
    rule: 'elysia is named in app.ts, http/, routes.ts and schemas.ts only',
  },
  {
    name: /^drizzle-orm(\/|$)/,
    allowed: /^src\/(storage\/|features\/[^/]+\/(.*[./])?store\.ts$)/,
    rule: 'drizzle-orm is named in storage/ and store.ts only',
  },
  {
    name: /^typebox(\/|$)/,
    allowed: /^src\/(config|features\/transfer)\//,
    rule: 'typebox is for configuration and transfer formats only; a route takes t of elysia',
  },
  {
    name: /^bun:sqlite$/,
    allowed: OPENERS,
    rule: OPENERS_RULE,
  },
  {
    name: /^bun$/,
    allowed: OPENERS,
    typesAnywhere: true,
    rule: 'Bun is the global: its module is imported only where storage/ opens databases',
  },
  { name: /^(node:)?process$/, allowed: /^src\/main\.ts$/, rule: 'process is named in main.ts only' },
  { name: /^(node:)?timers(\/promises)?$/, allowed: /^src\/lib\//, rule: 'timers are in lib/ only: take a Clock' },
]

interface CodeRule {
  name: RegExp
  /** Absent: nowhere. */
  allowed?: RegExp
  rule: string
}

const LIB = /^src\/lib\//

const CODE_RULES: readonly CodeRule[] = [
  {
    name: /(?<![\w$.])(?:globalThis\s*\.\s*)?process\s*(?:\?\.|\.|\[)|=\s*process\b(?!\w)|\bBun\.(?:env|argv)\b|\bimport\.meta\.env\b/g,
    allowed: /^src\/main\.ts$/,
    rule: 'process is named in main.ts only',
  },
  {
    name: /\bDate\s*\.\s*now\b|\bnew\s+Date\b|\bperformance\s*\.\s*now\b|\bBun\.nanoseconds\b/g,
    allowed: LIB,
    rule: 'time is read in lib/ only: take a Clock',
  },
  {
    name: /(?<![\w$.])(?:globalThis\s*\.\s*)?set(?:Timeout|Interval|Immediate)\b|\bBun\s*\.\s*sleep(?:Sync)?\b|\bAbortSignal\s*\.\s*timeout\b/g,
    allowed: LIB,
    rule: 'timers are in lib/ only: take a Clock',
  },
  {
    name: /\bMath\s*\.\s*random\b|\b(?:getRandomValues|randomBytes|randomUUID(?:v\d)?|randomInt|randomFill(?:Sync)?)\b/g,
    allowed: LIB,
    rule: 'randomness is in lib/ only: take a Random',
  },
  {
    // Not a method that is called fetch, as in Bun.serve's options or in an interface.
    name: /(?<![\w$.#])fetch\s*\((?![^()]*\)(?::|\s*\{))|\b(?:globalThis|Bun)\s*\.\s*fetch\b/g,
    allowed: LIB,
    rule: 'the network is reached through lib/ only',
  },
  { name: /\bsubtle\b/g, rule: 'no crypto.subtle: it waits in the thread pool behind bcrypt' },
  {
    name: /\bBun\s*\.\s*(?:SQL|sql|postgres)\b/g,
    allowed: OPENERS,
    rule: OPENERS_RULE,
  },
  { name: /\bexport\s+default\b|\bas\s+default\b/g, rule: 'no default exports' },
]
