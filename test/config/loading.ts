import type { DotenvFile } from '../../src/config/dotenv.ts'
import { parseDotenv } from '../../src/config/dotenv.ts'
import type { LoadInput } from '../../src/config/load.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import type { DraftConfig } from '../../src/config/schema.ts'
import { seededRandom } from '../support/random.ts'

export const SECRET_KEY = '4be0643f1d98573b97cdca98a65347dd4be0643f1d98573b97cdca98a65347dc'
export const OTHER_SECRET = '9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab'

export const dotenv = (text: string): DotenvFile => ({ path: '/srv/.env', ...parseDotenv(text) })

export const load = (env: LoadInput['env'], options: Partial<LoadInput> = {}) =>
  loadConfig({ env, dev: false, random: seededRandom(), ...options })

/** Loads with a good `SECRET_KEY`. */
export const settings = (env: LoadInput['env'], options?: Partial<LoadInput>): DraftConfig =>
  load({ SECRET_KEY, ...env }, options).config

/** The problems, each as its key (or file and line) and its message. */
export function problems(env: LoadInput['env'], options?: Partial<LoadInput>): [string | undefined, string][] {
  try {
    load({ SECRET_KEY, ...env }, options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ key, source, message }) => [key ?? source, message])
  }
  return []
}
