import { nearMiss } from '../../config/names.ts'
import { KeywardError } from '../../errors.ts'
import type { Service } from '../../service.ts'
import { CommandError } from '../context.ts'

/** The variables from which entries read secrets, which are not in the file. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One thing that a file declares: its members as in the file, and its place in the file, such as `clients.0`. */
export interface Entry {
  place: string
  members: Readonly<Record<string, unknown>>
}

/** What `keyward apply` does about one entry of the file. */
export interface Step {
  action: 'create' | 'change' | 'keep'
  /** The word for such a thing, such as `client`. */
  kind: string
  name: string
  /** The members that change, with their values before and after; empty for a new thing. */
  changes: readonly { member: string; before: unknown; after: unknown }[]
  /**
   * Makes the change.
   * @returns what is shown once, such as the id and the secret of a new client
   */
  run: () => Promise<Readonly<Record<string, string>>>
}

/** A kind of things that a file can declare, in a list of its own. What no entry names stays as it is. */
export interface Section {
  /** The member of the file with the list, such as `clients`. */
  name: string
  /**
   * Compares the entries with the database. Writes nothing.
   * @throws CommandError for an entry that cannot be applied; KeywardError for a value that the use case refuses
   */
  plan(service: Service, entries: readonly Entry[], env: Environment): Promise<Step[]>
}

/** What a member may be. `nullable` is a text, or null to remove the setting. */
type MemberKind = 'text' | 'texts' | 'flag' | 'nullable'

const kinds: Readonly<Record<MemberKind, { is: (value: unknown) => boolean; named: string }>> = {
  text: { is: (value) => typeof value === 'string', named: 'a text' },
  flag: { is: (value) => typeof value === 'boolean', named: 'true or false' },
  texts: {
    is: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    named: 'a list of texts',
  },
  nullable: { is: (value) => value === null || typeof value === 'string', named: 'a text or null' },
}

/**
 * Checks the names and the types of an entry's members.
 * @throws CommandError for an unknown member, or a member of another type
 */
export function checkMembers({ place, members }: Entry, known: Readonly<Record<string, MemberKind>>): void {
  for (const [name, value] of Object.entries(members)) {
    const kind = Object.hasOwn(known, name) ? kinds[known[name]!] : undefined
    if (!kind) {
      const meant = nearMiss(name, Object.keys(known), true)
      throw new CommandError(
        `${place} has the unknown member ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      )
    }
    if (!kind.is(value)) throw new CommandError(`${place}.${name} must be ${kind.named}`)
  }
}

/**
 * Puts the place of the entry before the fields of a refusal.
 * @throws the error of `work`
 */
export async function withPlace<T>({ place }: Entry, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof KeywardError) || !error.errors) throw error
    const errors = error.errors.map((one) => ({ ...one, field: `${place}.${one.field}` }))
    throw new KeywardError(error.code, { errors })
  }
}
