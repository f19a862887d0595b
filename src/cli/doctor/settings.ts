import type { Config, DraftConfig } from '../../config/schema.ts'
import { keySchema } from '../../config/schema.ts'
import { isLoopback } from '../../lib/ip.ts'
import { type Finding, ok, warning } from './finding.ts'

/** The trusted networks that are larger than any company's: IPv4 networks above /8, and IPv6 networks above /16. */
const isWide = ({ address, bits }: Config['TRUSTED_PROXIES'][number]): boolean =>
  bits < (address.kind() === 'ipv4' ? 8 : 16)

/** Two hexadecimal characters are a byte, and HS256 needs 32 bytes (RFC 7518 section 3.2). */
const isShortHex = (secret: string): boolean => /^[0-9a-f]{1,63}$/i.test(secret)

/** Returns a warning for each setting that is allowed and weak. */
export function checkSettings(config: DraftConfig, { dev }: { dev: boolean }): Finding[] {
  const findings = [...weaknesses(config, dev)].map(([subject, message, fix]) =>
    warning('settings', { subject, message, fix }),
  )
  return findings.length > 0 ? findings : [ok('settings', 'No setting is weak.')]
}

function* weaknesses(config: DraftConfig, dev: boolean): Iterable<[subject: string, message: string, fix: string]> {
  const { PUBLIC_URL, BCRYPT_COST, LIMITS, LOG_LEVEL, RATE_LIMIT, TRUSTED_PROXIES, JWT_ALG, JWT_SECRET } = config
  const { SMTP_URL, EMAIL_LOGIN, REGISTRATION } = config
  const { protocol, hostname } = new URL(PUBLIC_URL)
  const isLocal = isLoopback(hostname)
  if (protocol === 'http:' && !isLocal)
    yield [
      'PUBLIC_URL',
      `Clients send passwords and tokens without encryption to ${PUBLIC_URL}.`,
      'Put a proxy with TLS in front of Keyward, and set PUBLIC_URL to its https address.',
    ]
  if (isLocal && !dev)
    yield [
      'PUBLIC_URL',
      `Only this machine can reach ${PUBLIC_URL}, the issuer of the tokens.`,
      'Set PUBLIC_URL to the address under which clients reach Keyward.',
    ]
  if (RATE_LIMIT === 'off')
    yield ['RATE_LIMIT', 'Passwords can be guessed without a limit.', 'Remove RATE_LIMIT, whose default is on.']
  for (const { text, tiers } of LIMITS)
    if (tiers.length === 0)
      yield ['LIMITS', `The limit is off: ${text}.`, 'Remove it, or set a number, such as 100/1h, instead of off.']
  const usual = Number(keySchema('BCRYPT_COST').default)
  if (BCRYPT_COST < usual)
    yield [
      'BCRYPT_COST',
      `Password hashes of cost ${BCRYPT_COST} are cheaper to guess than those of the default ${usual}.`,
      `Raise BCRYPT_COST to ${usual} if the CPU allows; hashes are renewed at the next login.`,
    ]
  if (JWT_ALG === 'HS256' && JWT_SECRET !== undefined && isShortHex(JWT_SECRET))
    yield [
      'JWT_SECRET',
      'It holds less than the 256 bits that HS256 needs, so it could be guessed from a token.',
      'Make another one with: openssl rand -base64 48',
    ]
  for (const proxy of TRUSTED_PROXIES)
    if (isWide(proxy))
      yield [
        'TRUSTED_PROXIES',
        `The network ${proxy.text} is so large that clients in it can forge their address.`,
        'Name the addresses of your proxies only.',
      ]
  if (SMTP_URL === undefined && !dev)
    yield [
      'SMTP_URL',
      EMAIL_LOGIN === 'on'
        ? 'Mail is off, so nobody can log in by mail, though EMAIL_LOGIN is on.'
        : REGISTRATION === 'open'
          ? 'Mail is off, so users who register cannot reset a forgotten password, and are not told of changes.'
          : 'Mail is off, so users cannot reset a forgotten password, and are not told of changes.',
      'Set SMTP_URL and MAIL_FROM, then run keyward mail test ADDRESS.',
    ]
  if (SMTP_URL?.tls === 'none' && !isLoopback(SMTP_URL.host))
    yield [
      'SMTP_URL',
      `Mails, and the links in them, go to ${SMTP_URL.host} without encryption.`,
      'Remove tls=none if the mail server has STARTTLS, or use smtps://.',
    ]
  if (LOG_LEVEL === 'error' || LOG_LEVEL === 'silent')
    yield ['LOG_LEVEL', `The log has no warnings at level ${LOG_LEVEL}.`, 'Set LOG_LEVEL to warn or info.']
  if (LOG_LEVEL === 'debug' && !dev)
    yield ['LOG_LEVEL', 'The log has a line for every request at level debug.', 'Set LOG_LEVEL to info.']
}
