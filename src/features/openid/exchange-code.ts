import { KeywardError } from '../../errors.ts'
import { randomId } from '../../lib/random.ts'
import type { Client } from '../clients/clients.ts'
import type { Origin } from '../sessions/sessions.ts'
import { beginSession, finish } from './begin-session.ts'
import * as store from './codes.store.ts'
import { macsOf, provesChallenge } from './codes.ts'
import { type ClientGrant, makeGrant } from './grant.ts'
import type { OpenIdNeeds } from './openid.ts'

/** The parameters of a code at the token endpoint (RFC 6749 section 4.1.3, RFC 7636 section 4.5). */
export interface CodeExchange {
  code: string
  redirectUri: string | undefined
  codeVerifier: string | undefined
}

/**
 * See `OpenId.exchangeCode`. One transaction uses the code up, and begins its session if everything about the code is
 * right. The code stays used up if anything is wrong: whoever shows a code with another client, address or verifier has
 * stolen it.
 */
export async function exchangeCode(
  needs: OpenIdNeeds,
  client: Client,
  sent: CodeExchange,
  origin: Origin,
): Promise<ClientGrant> {
  const { store: db, clock, random } = needs
  if (!client.grantTypes.includes('authorization_code')) throw new KeywardError('unauthorized_client')
  const macs = macsOf(needs, sent.code) ?? []
  const sessionId = randomId(random)
  const begun = await db.transaction(async () => {
    for (const mac of macs) {
      const code = await store.use(db, { mac, sessionId, now: clock.now() })
      if (!code) {
        await endReused(needs, { mac, client, origin })
        continue
      }
      if (!fits(needs, code, client, sent)) return undefined
      const session = await beginSession(needs, { client, code, origin, sessionId })
      return session && { begun: session.begun, nonce: code.nonce ?? undefined }
    }
    return undefined
  })
  if (!begun) throw new KeywardError('invalid_grant', { sentence: 'The code is not valid, was used or has expired' })
  return makeGrant(needs, client, { ...finish(needs, begun), nonce: begun.nonce })
}

const fits = ({ clock }: OpenIdNeeds, code: store.StoredCode, client: Client, sent: CodeExchange): boolean =>
  code.clientId === client.id &&
  code.redirectUri === sent.redirectUri &&
  code.expiresAt > clock.now() &&
  provesChallenge(code.codeChallenge, sent.codeVerifier)

/**
 * Ends the session of a code that is shown again, because one of the two who have it has stolen it (RFC 6749 section
 * 4.1.2). Ends nothing else.
 */
async function endReused(
  { store: db, audit, sessions }: OpenIdNeeds,
  { mac, client, origin }: { mac: string; client: Client; origin: Origin },
): Promise<void> {
  const code = await store.find(db, mac)
  if (!code?.sessionId) return
  if (!(await sessions.endClientSession({ id: code.sessionId, reason: 'code_reused', ip: origin.ip }))) return
  const about = { userId: code.userId, sessionId: code.sessionId, ip: origin.ip }
  await audit.record({ ...about, event: 'oauth.code_reused', details: { client_id: client.id } })
}
