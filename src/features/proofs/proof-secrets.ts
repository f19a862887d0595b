import { toBase64Url } from '../../lib/encoding.ts'
import { constantTimeEqual, hmacSha256 } from '../../lib/hash.ts'
import type { Random } from '../../lib/random.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { ProofOf, ProofPurpose } from './proofs.ts'

/** The token, and for some purposes the code, that a mail contains. */
export interface ProofSecret {
  /** `kwm_` and 43 characters: 256 random bits. */
  token: string
  /** Six digits; undefined for a purpose without codes. */
  code?: string
}

/** Makes tokens and codes, and their MACs. */
export interface ProofSecrets {
  make(purpose: ProofPurpose): ProofSecret
  macOfToken(purpose: ProofPurpose, token: string): string
  /** The MACs under the current and the former keys; undefined when the text cannot be a token. */
  macsOfToken(purpose: ProofPurpose, token: string): string[] | undefined
  macOfCode(proof: Pick<ProofOf, 'purpose' | 'id'>, code: string): string
  /** Compares in constant time, under the current and the former keys. */
  isCode(proof: Pick<ProofOf, 'purpose' | 'id'>, code: string, mac: string): boolean
}

/** The purposes whose mails have a code beside the link. */
const withCode: readonly ProofPurpose[] = ['verify_email', 'log_in', 'link_identity', 'enroll_factor']

const isToken = (text: string): boolean => /^kwm_[A-Za-z0-9_-]{43}$/.test(text)
const isCodeText = (text: string): boolean => /^[0-9]{6}$/.test(text)

export function createProofSecrets({
  secrets,
  random,
}: {
  secrets: Pick<Secrets, 'macKeys'>
  random: Random
}): ProofSecrets {
  const tokenMac = (key: Uint8Array, purpose: ProofPurpose, token: string) =>
    toBase64Url(hmacSha256(key, `${purpose}\n${token}`))
  const codeMac = (key: Uint8Array, { purpose, id }: Pick<ProofOf, 'purpose' | 'id'>, code: string) =>
    toBase64Url(hmacSha256(key, `${purpose}\n${id}\n${code}`))
  return {
    make(purpose) {
      const token = `kwm_${toBase64Url(random.bytes(32))}`
      return withCode.includes(purpose) ? { token, code: digits(random) } : { token }
    },
    macOfToken: (purpose, token) => tokenMac(secrets.macKeys('mail_token')[0], purpose, token),
    macsOfToken: (purpose, token) =>
      isToken(token) ? secrets.macKeys('mail_token').map((key) => tokenMac(key, purpose, token)) : undefined,
    macOfCode: (proof, code) => codeMac(secrets.macKeys('mail_code')[0], proof, code),
    isCode(proof, code, mac) {
      const stored = Buffer.from(mac)
      const isSame = (key: Uint8Array) => constantTimeEqual(Buffer.from(codeMac(key, proof, code)), stored)
      return isCodeText(code) && secrets.macKeys('mail_code').some(isSame)
    },
  }
}

/** Six digits, each number equally likely: a draw from the incomplete last million is repeated. */
function digits(random: Random): string {
  for (;;) {
    const drawn = Buffer.from(random.bytes(4)).readUInt32BE()
    if (drawn < 4_294_000_000) return String(drawn % 1_000_000).padStart(6, '0')
  }
}
