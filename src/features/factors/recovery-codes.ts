import { toBase32, toBase64Url } from '../../lib/encoding.ts'
import { hmacSha256 } from '../../lib/hash.ts'
import type { FactorsNeeds } from './factors.ts'
import * as store from './recovery-codes.store.ts'

const CODES = 10

/** Crockford's base32 in lower case: no `i`, `l`, `o` and `u`, which are read wrongly. */
const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * Makes ten recovery codes of 80 random bits, and voids all earlier ones. Only their MACs are stored, so nothing shows
 * the codes again. Call it in the transaction of the change that is its reason.
 *
 * A MAC with a key outside the table is enough: 80 random bits cannot be guessed, so a slow hash would add nothing.
 * @returns the codes as `xxxx-xxxx-xxxx-xxxx`
 */
export async function makeRecoveryCodes(needs: FactorsNeeds, userId: number): Promise<string[]> {
  const { store: db, clock, random } = needs
  const codes = Array.from({ length: CODES }, () => toBase32(random.bytes(10), DIGITS))
  const macs = codes.map((code) => macsOf(needs, { userId, code })[0]!)
  await store.replaceAll(db, { userId, macs, now: clock.now() })
  return codes.map((code) => code.match(/.{4}/g)!.join('-'))
}

/**
 * Uses a recovery code up. Of concurrent calls with one code, only one succeeds. Call it in the transaction of what the
 * code allows; a wrong code writes nothing.
 * @param code as typed: in any case, with or without hyphens and spaces, with `o` for `0` and `i` or `l` for `1`
 * @returns how many unused codes are left; undefined for a wrong or used code
 */
export async function useRecoveryCode(
  needs: FactorsNeeds,
  { userId, code: typed }: { userId: number; code: string },
): Promise<{ left: number } | undefined> {
  const { store: db, clock } = needs
  const code = readRecoveryCode(typed)
  if (code === undefined) return undefined
  if (!(await store.use(db, { userId, macs: macsOf(needs, { userId, code }), now: clock.now() }))) return undefined
  return { left: (await store.countUnused(db, userId)).remaining }
}

/** Reads a typed code. @returns its 16 characters; undefined when it cannot be a recovery code */
function readRecoveryCode(typed: string): string | undefined {
  if (typed.length > 64) return undefined
  const code = typed.toLowerCase().replace(/[ -]/g, '').replaceAll('o', '0').replace(/[il]/g, '1')
  return /^[0-9a-hjkmnp-tv-z]{16}$/.test(code) ? code : undefined
}

/** The MACs under the current and the former keys. The user's id is in them, so a copied row is worthless. */
const macsOf = (
  { secrets }: Pick<FactorsNeeds, 'secrets'>,
  { userId, code }: { userId: number; code: string },
): string[] => secrets.macKeys('recovery_code').map((key) => toBase64Url(hmacSha256(key, `${userId}\n${code}`)))
