import { rpIdOf } from '../config/parts.ts'
import type { Config } from '../config/schema.ts'
import { canonicalIp } from '../lib/ip.ts'
import type { Service } from '../service.ts'

/**
 * Logs a warning when passkeys cannot work: no browser makes one for an IP address, and none uses those that were made
 * for another domain.
 */
export async function warnOfPasskeys(
  config: Config,
  { factors, log }: Pick<Service, 'factors' | 'log'>,
): Promise<void> {
  if (config.PASSKEYS === 'off') return
  const domain = rpIdOf(config)
  if (canonicalIp(domain.replace(/^\[|\]$/g, '')) !== undefined)
    log.warn('passkeys_without_domain', {
      public_url: config.PUBLIC_URL,
      hint: 'no browser makes a passkey for an IP address; give PUBLIC_URL a host name, or set PASSKEYS=off',
    })
  const { keys, stranded } = await factors.countForeignKeys()
  if (keys > 0)
    log.warn('passkeys_of_another_domain', {
      domain,
      passkeys: keys,
      accounts_without_factor: stranded,
      hint: 'no browser uses a passkey that was made for another domain; set WEBAUTHN_RP_ID as it was, or let people add new ones',
    })
}
