import { drizzle as postgresqlBuilder } from 'drizzle-orm/pg-proxy'
import { drizzle as sqliteBuilder } from 'drizzle-orm/sqlite-proxy'
import type { Bcrypt } from '../../src/features/passwords/hashing.ts'
import { createPasswords, type PasswordsNeeds } from '../../src/features/passwords/passwords.ts'
import type { Clock } from '../../src/lib/clock.ts'
import type { Log } from '../../src/lib/log.ts'
import type { Replaceable, Surroundings } from '../../src/service.ts'
import type { Store } from '../../src/storage/store.ts'

export type { Bcrypt }

/** The parts of the service that tests replace, by their names in tests. */
export interface Parts {
  log: Log
  store: Store
  passwords: Replaceable['passwords']
  tokens: Replaceable['tokens']
  outgoing: Replaceable['outgoing']
  signingKeys: Replaceable['signingKeys']
  logouts: Replaceable['logouts']
}

/** For each part a function that gets the real one and returns the one that the service uses from its start. */
export type Replace = { [Name in keyof Parts]?: Replacement<Parts[Name]> }

export type Replacement<Part> = (real: Part, around: PartNeeds) => Part

/** What a part may need to be created. */
export interface PartNeeds {
  clock: Clock
  log: Log
}

/** `Replace` with the service's own names. */
export function replacements(replace: Replace, clock: Clock): NonNullable<Surroundings['replace']> {
  let log: Log | undefined
  const at = <Part>(make: Replacement<Part> | undefined) => make && ((real: Part) => make(real, { clock, log: log! }))
  return {
    log(real) {
      log = replace.log?.(real, { clock, log: real }) ?? real
      return log
    },
    store: at(replace.store),
    passwords: at(replace.passwords),
    tokens: at(replace.tokens),
    outgoing: at(replace.outgoing),
    signingKeys: at(replace.signingKeys),
    logouts: at(replace.logouts),
  }
}

/** Replaces a part and passes every call on to the real one, until a test changes some of its methods. */
export interface StandIn<Part> {
  /** For the option `replace`. Each app that is made with it begins without changes. */
  readonly replacement: Replacement<Part>
  /** Uses these methods instead of the real ones from now on, in every app that was made with it. */
  change(changes: Partial<Part> | ((real: Part, around: PartNeeds) => Partial<Part>)): void
  restore(): void
}

/** Creates a stand-in: `standIn<'passwords'>()`. */
export function standIn<Name extends keyof Parts>(): StandIn<Parts[Name]> {
  type Part = Parts[Name]
  const places: { real: Part; around: PartNeeds; current: Part }[] = []
  return {
    replacement(real, around) {
      const place = { real, around, current: real }
      places.push(place)
      return new Proxy(real, { get: (_, name) => Reflect.get(place.current, name) })
    },
    change(changes) {
      for (const place of places) {
        const { real, around } = place
        place.current = { ...real, ...(typeof changes === 'function' ? changes(real, around) : changes) }
      }
    },
    restore() {
      for (const place of places) place.current = place.real
    },
  }
}

/** Password hashing with other options than the configuration's, for example with a bcrypt that counts. */
export const passwordsWith =
  (options: Partial<PasswordsNeeds> & { bcrypt: Bcrypt }): Replacement<Parts['passwords']> =>
  (_, around) =>
    createPasswords({ minLength: 8, cost: 4, maxWaitMs: 60_000, nice: 0, fairness: false, ...around, ...options })

/** Called with the text of each statement before it runs; throw to make the statement fail. */
export type OnStatement = (sql: string) => void

/**
 * Reports every statement of a store on its one way to the database: those of the query builder and all others.
 */
export const watchStatements =
  (onStatement: OnStatement): Replacement<Store> =>
  (real) => {
    const execute: Store['execute'] = async (sql, params, origin) => {
      onStatement(sql)
      return real.execute(sql, params, origin)
    }
    const tryRead: Store['tryRead'] = (sql, params) => {
      const rows = real.tryRead(sql, params)
      // Without rows the caller executes the same statement, which is reported there.
      if (rows !== undefined) onStatement(sql)
      return rows
    }
    const run = async (sql: string, params: unknown[]) => execute(sql, params)
    const q = real.dialect === 'sqlite' ? sqliteBuilder(run) : (postgresqlBuilder(run) as unknown as Store['q'])
    return { ...real, q, execute, tryRead }
  }

/** Holds a transaction back, so that a test does something between the checks of a request and its transaction. */
export interface TransactionGate {
  /** For the option `replace`. */
  readonly replacement: Replacement<Store>
  /**
   * Sends a request, and does `between` when the request begins its first transaction, which then runs.
   * @throws Error when the request began no transaction
   */
  pass<Answer>(request: () => Promise<Answer>, between: () => Promise<unknown>): Promise<Answer>
}

export function transactionGate(): TransactionGate {
  let held: (() => Promise<unknown>) | undefined
  return {
    replacement: (real) => ({
      ...real,
      async transaction(work, origin) {
        const between = held
        held = undefined
        await between?.()
        return real.transaction(work, origin)
      },
    }),
    async pass(request, between) {
      let hasBegun = false
      held = () => {
        hasBegun = true
        return between()
      }
      const answer = await request()
      if (!hasBegun) throw new Error('the request began no transaction')
      return answer
    },
  }
}
