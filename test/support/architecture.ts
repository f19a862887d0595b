import { posix } from 'node:path'
import { codeOnly, type Import, importsOf, lineAt } from './source-text.ts'

/** A rule of the house. `README.md` in src explains them; this file holds them. */
export interface Rule {
  /** The rule as a sentence. */
  name: string
  /** What breaks it in this file; nothing when all is well. */
  broken: (file: ReadFile, house: House) => Breach[]
}

/** One breach: its line, and the text that breaks the rule. */
export interface Breach {
  line: number
  what: string
}

export interface SourceFile {
  /** From the repository's root, with slashes: `src/features/users/store.ts`. */
  path: string
  text: string
}

/** A source file with what the rules look at. */
interface ReadFile extends SourceFile {
  /** Without comments and the insides of strings. */
  code: string
  imports: readonly (Import & { target: string | undefined })[]
  room: Room | undefined
}

/** All files, and which feature owns which table. */
interface House {
  paths: ReadonlySet<string>
  tableOwners: ReadonlyMap<string, string>
}

interface Room {
  floor: Floor
  feature?: string
}

/** From the bottom up: a file imports its own floor and those below it. */
const floors = [
  'lib',
  'errors',
  'config',
  'storage',
  'rules',
  'http',
  'pages',
  'routes',
  'service',
  'app',
  'cli',
  'main',
] as const
type Floor = (typeof floors)[number]

/** A feature imports those before it. A new feature gets a place here. */
const features = [
  'audit',
  'secrets',
  'users',
  'limits',
  'passwords',
  'roles',
  'proofs',
  'mail',
  'signing-keys',
  'tokens',
  'api-keys',
  'clients',
  'logouts',
  'factors',
  'sessions',
  'access',
  'metrics',
  'accounts',
  'enrollment',
  'verification',
  'invitations',
  'sign-in',
  'social',
  'openid',
  'administration',
  'import',
  'export',
  'probes',
  'jobs',
  'documentation',
]

const MAX_LINES = 300

export const rules: readonly Rule[] = [
  {
    name: 'every file has a room: main, app, service, errors, cli/, config/, lib/, storage/, http/, pages/ or a known feature',
    broken: ({ room, path }) => (room === undefined ? [{ line: 1, what: path }] : []),
  },
  {
    name: 'imports point down: lib, errors, config, storage, features, http, pages, routes, service, app, cli, main',
    broken: ({ room, imports }) =>
      imports.flatMap(({ target, line }) => {
        const other = target === undefined ? undefined : roomOf(target)
        if (!target || !/\.tsx?$/.test(target) || room === undefined) return []
        return other && floors.indexOf(other.floor) <= floors.indexOf(room.floor) ? [] : [{ line, what: target }]
      }),
  },
  {
    name: 'errors.ts imports nothing',
    broken: ({ path, imports }) =>
      path === 'src/errors.ts' ? imports.map(({ specifier, line }) => ({ line, what: specifier })) : [],
  },
  {
    name: 'a feature imports only features before it in the list, and of them only the file named after the feature',
    broken: ({ room, imports }) =>
      imports.flatMap(({ target, line }) => {
        const other = target === undefined ? undefined : roomOf(target)?.feature
        if (room?.feature === undefined || other === undefined || other === room.feature) return []
        const isBefore = features.indexOf(other) < features.indexOf(room.feature)
        return isBefore && isPublic(target!, room.floor) ? [] : [{ line, what: target! }]
      }),
  },
  {
    name: 'what is outside of the features imports only the file named after one; app.ts imports its routes.ts and pages.tsx, too',
    broken: ({ room, path, imports }) =>
      imports.flatMap(({ target, line }) => {
        const feature = target === undefined ? undefined : roomOf(target)?.feature
        if (room?.feature !== undefined || feature === undefined) return []
        const isRoutes =
          path === 'src/app.ts' &&
          new RegExp(`^src/features/${feature}/(?:[a-z-]+\\.)?(?:routes\\.ts|pages\\.tsx)$`).test(target!)
        return isPublic(target!, room?.floor) || isRoutes ? [] : [{ line, what: target! }]
      }),
  },
  {
    name: 'every feature has a file that is named after it',
    broken: ({ room, path }, { paths }) => {
      const own = `src/features/${room?.feature}/${room?.feature}.ts`
      return room?.feature === undefined || paths.has(own) ? [] : [{ line: 1, what: `${path}, without ${own}` }]
    },
  },
  {
    name: 'service.ts is imported by app.ts and cli/ only',
    broken: ({ room, imports }) =>
      imports.flatMap(({ target, line }) =>
        target === 'src/service.ts' && room?.floor !== 'app' && room?.floor !== 'cli' ? [{ line, what: target }] : [],
      ),
  },
  {
    name: 'a table is written by its owner only, the feature that its docstring names (@owner)',
    broken: ({ room, code, path }, { tableOwners }) =>
      [...code.matchAll(/\.\s*(?:insert|update|delete)\(\s*((?:\w+\s*\.\s*)*\w+)\s*\)/g)].flatMap((match) => {
        const table = tableNamed(code, match[1]!.split('.').at(-1)!.trim())
        const owner = tableOwners.get(table)
        const writer = room?.feature ?? (room?.floor === 'storage' ? 'storage' : path)
        return owner === undefined || owner === writer ? [] : [{ line: lineAt(code, match.index), what: table }]
      }),
  },
  {
    name: `a file has at most ${MAX_LINES} lines`,
    broken: ({ text }) => {
      const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
      return lines > MAX_LINES ? [{ line: MAX_LINES + 1, what: `${lines} lines` }] : []
    },
  },
  {
    name: 'there is no index.ts: a module is imported by its own name',
    broken: ({ path }) => (/(^|\/)index\.tsx?$/.test(path) ? [{ line: 1, what: path }] : []),
  },
  forbidsCode('there are no default exports', /\bexport\s+default\b|\bas\s+default\b/g),
  allowsPackage(
    'elysia, its plugins and its typebox are named in app.ts, http/, pages/, and files called routes.ts, schemas.ts, pages.tsx, *.routes.ts, *.schemas.ts or *.pages.tsx only',
    /^(elysia|@elysiajs\/(?!jwt)[^/]+|@sinclair\/typebox)(\/|$)/,
    /^src\/(app\.ts|(http|pages)\/.*|features\/[^/]+\/([a-z-]+\.)?((routes|schemas)\.ts|pages\.tsx))$/,
  ),
  allowsPackage(
    'preact is named in pages/ and in the pages of features only',
    /^preact/,
    /^src\/(pages\/|features\/[^/]+\/(pages\/|([a-z-]+\.)?pages\.tsx$))/,
  ),
  forbidsCode(
    'a page has no style attribute, no event handler and no raw HTML: its policy forbids the first two',
    /\bstyle=\{|\bon[A-Z]\w*=\{|\bdangerouslySetInnerHTML\b/g,
    /\.ts$|^src\/pages\/layout\.tsx$/,
  ),
  allowsPackage(
    '@elysiajs/jwt is named in sessions/device-token.ts only: it waits in the thread pool behind bcrypt',
    /^@elysiajs\/jwt$/,
    /^src\/features\/sessions\/device-token\.ts$/,
  ),
  allowsPackage(
    'drizzle-orm is named in storage/ and in files called store.ts or *.store.ts only',
    /^drizzle-orm(\/|$)/,
    /^src\/(storage\/|features\/[^/]+\/([a-z-]+\.)?store\.ts$)/,
  ),
  allowsPackage(
    'typebox is for the configuration only; a route takes the t of elysia',
    /^typebox(\/|$)/,
    /^src\/config\//,
  ),
  allowsPackage('a database is opened in storage/ and by an import only', /^bun:sqlite$/, DATABASE_OPENERS()),
  forbidsCode(
    'Bun.SQL is named in storage/ and by an import only',
    /\bBun\s*\.\s*(?:SQL|sql|postgres)\b/g,
    DATABASE_OPENERS(),
  ),
  {
    name: 'Bun is the global: its module is imported for types only',
    broken: ({ imports }) =>
      imports.flatMap(({ specifier, typeOnly, line }) =>
        specifier === 'bun' && !typeOnly ? [{ line, what: specifier }] : [],
      ),
  },
  allowsPackage('process is named in main.ts only', /^(node:)?process$/, /^src\/main\.ts$/),
  forbidsCode(
    'the process and its environment are named in main.ts only',
    /(?<![\w$.])(?:globalThis\s*\.\s*)?process\s*(?:\?\.|\.|\[)|=\s*process\b(?!\w)|\bBun\.(?:env|argv)\b|\bimport\.meta\.env\b/g,
    /^src\/main\.ts$/,
  ),
  forbidsCode(
    'the time is read in lib/ only: take a Clock',
    /\bDate\s*\.\s*now\b|\bnew\s+Date\b|\bperformance\s*\.\s*now\b|\bBun\.nanoseconds\b/g,
    /^src\/lib\//,
  ),
  allowsPackage('timers are in lib/ only: take a Clock', /^(node:)?timers(\/promises)?$/, /^src\/lib\//),
  forbidsCode(
    'waiting is in lib/ only: take a Clock',
    /(?<![\w$.])(?:globalThis\s*\.\s*)?set(?:Timeout|Interval|Immediate)\b|\bBun\s*\.\s*sleep(?:Sync)?\b|\bAbortSignal\s*\.\s*timeout\b/g,
    /^src\/lib\//,
  ),
  forbidsCode(
    'randomness is in lib/ only: take a Random',
    /\bMath\s*\.\s*random\b|\b(?:getRandomValues|randomBytes|randomUUID(?:v\d)?|randomInt|randomFill(?:Sync)?)\b/g,
    /^src\/lib\//,
  ),
  forbidsCode(
    'the network is reached through lib/ only',
    // Not a method that is called fetch, as in the options of Bun.serve or in an interface.
    /(?<![\w$.#])fetch\s*\((?![^()]*\)(?::|\s*\{))|\b(?:globalThis|Bun)\s*\.\s*fetch\b/g,
    /^src\/lib\//,
  ),
  forbidsCode(
    'a thread is started in service.ts only',
    /\bnew\s+(?:globalThis\s*\.\s*)?Worker\b/g,
    /^src\/service\.ts$/,
  ),
  allowsPackage('there is no node:worker_threads: it loads streams', /^(node:)?worker_threads$/, /^$/),
  {
    name: 'an entry point of a thread (*-worker.ts) imports node:crypto and types only: a thread loads all modules again',
    broken: ({ path, imports }) =>
      path.endsWith('-worker.ts')
        ? imports.flatMap(({ specifier, typeOnly, line }) =>
            typeOnly || specifier === 'node:crypto' ? [] : [{ line, what: specifier }],
          )
        : [],
  },
  forbidsCode('there is no crypto.subtle: it waits in the thread pool behind bcrypt', /\bsubtle\b/g),
]

/** @returns one line for each breach, `path:line: the rule (what breaks it)`; none when all is well */
export function breachesOf(files: readonly SourceFile[], chosen: readonly Rule[] = rules): string[] {
  const house: House = { paths: new Set(files.map(({ path }) => path)), tableOwners: tableOwnersIn(files) }
  return files
    .map(read)
    .flatMap((file) =>
      chosen.flatMap((rule) =>
        rule.broken(file, house).map(({ line, what }) => `${file.path}:${line}: ${rule.name} (${what})`),
      ),
    )
}

/** Each file is read once for all rules. */
const filesRead = new WeakMap<SourceFile, ReadFile>()

function read(file: SourceFile): ReadFile {
  const { path, text } = file
  const before = filesRead.get(file)
  if (before !== undefined) return before
  const code = codeOnly(text)
  const imports = importsOf(text, code).map((one) => ({
    ...one,
    target: one.specifier.startsWith('.') ? posix.join(posix.dirname(path), one.specifier) : undefined,
  }))
  const made = { path, text, code, imports, room: roomOf(path) }
  filesRead.set(file, made)
  return made
}

function roomOf(path: string): Room | undefined {
  const [, top, feature, file] = /^src\/([\w-]+)(?:\/([\w-]+))?(?:\/(.+))?/.exec(path) ?? []
  if (/^src\/[\w-]+\.ts$/.test(path)) return isFloor(top, ['errors', 'service', 'app', 'main'])
  if (top !== 'features') return isFloor(top, ['lib', 'config', 'storage', 'http', 'pages', 'cli'])
  if (feature === undefined || file === undefined || !features.includes(feature)) return undefined
  return {
    floor: /^([a-z-]+\.)?(routes|schemas)\.ts$|^([a-z-]+\.)?pages\.tsx$|^pages\//.test(file) ? 'routes' : 'rules',
    feature,
  }
}

const isFloor = (name: string | undefined, known: readonly Floor[]): Room | undefined => {
  const floor = known.find((one) => one === name)
  return floor && { floor }
}

/** A feature shows its named file to everybody, and the schemas of its answers to routes and schemas. */
const isPublic = (target: string, from: Floor | undefined): boolean =>
  new RegExp(
    `^src/features/([\\w-]+)/${from === 'routes' || from === 'cli' ? '(?:\\1|(?:[a-z-]+\\.)?schemas)' : '\\1'}\\.ts$`,
  ).test(target)

function DATABASE_OPENERS(): RegExp {
  return /^src\/(storage\/|features\/import\/foreign\.ts$)/
}

function allowsPackage(name: string, specifiers: RegExp, allowed: RegExp): Rule {
  return {
    name,
    broken: ({ path, imports }) =>
      allowed.test(path)
        ? []
        : imports.flatMap(({ specifier, line }) => (specifiers.test(specifier) ? [{ line, what: specifier }] : [])),
  }
}

function forbidsCode(name: string, pattern: RegExp, allowed?: RegExp): Rule {
  return {
    name,
    broken: ({ path, code }) =>
      allowed?.test(path)
        ? []
        : [...code.matchAll(pattern)].map((match) => ({ line: lineAt(code, match.index), what: match[0].trim() })),
  }
}

/** The tables by the name that the query builder knows them by, with the feature that owns each. */
function tableOwnersIn(files: readonly SourceFile[]): Map<string, string> {
  const owners = new Map<string, string>()
  for (const { path, text } of files) {
    const [, owner] = (path.startsWith('src/storage/tables/') && /@owner ([\w-]+)/.exec(text)) || []
    if (owner !== undefined)
      for (const [, table] of text.matchAll(/(\w+)(?:: | = )c\.table\(/g)) owners.set(table!, owner)
  }
  return owners
}

/** The table behind a name, which a store may have shortened: `{ t: { auditEvents: a } }`. */
const tableNamed = (code: string, name: string): string =>
  new RegExp(`\\bt:\\s*\\{[^}]*?\\b(\\w+):\\s*${name}\\b`).exec(code)?.[1] ?? name
