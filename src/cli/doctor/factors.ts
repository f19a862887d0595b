import { factorsOf } from '../../config/parts.ts'
import type { DraftConfig } from '../../config/schema.ts'
import { inspectFactors } from '../../features/factors/factors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Store } from '../../storage/store.ts'
import { type Finding, ok, problemOf, warning } from './finding.ts'

/** Says who lacks a required second factor, and whether passkeys fit the domain. Changes nothing. */
export async function checkFactors(store: Store, config: DraftConfig, clock: Clock): Promise<Finding[]> {
  const { settings } = factorsOf(config)
  try {
    const { belowPolicy, overdue, foreignKeys, stranded } = await inspectFactors({ store, clock, settings })
    const findings: Finding[] = []
    if (belowPolicy > 0)
      findings.push(
        warning('second_factors', {
          message: `Without a required second factor: ${counted(belowPolicy, 'account')}; the grace days are over for ${overdue}.`,
          fix: 'Run keyward users list --below-policy, and ask these people to set one up.',
        }),
      )
    if (foreignKeys > 0)
      findings.push(
        warning('second_factors', {
          subject: 'WEBAUTHN_RP_ID',
          message: `Made for another domain than ${settings.rpId}: ${counted(foreignKeys, 'passkey')}; with no other factor: ${counted(stranded, 'account')}.`,
          fix: 'Set the domain as it was, or let these people enrol again.',
        }),
      )
    return findings.length > 0 ? findings : [ok('second_factors', 'Nobody lacks a required second factor.')]
  } catch (error) {
    return [problemOf('second_factors', error, 'Look at the database.')]
  }
}

const counted = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`
