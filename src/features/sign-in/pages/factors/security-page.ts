import { KeywardError } from '../../../../errors.ts'
import type { CookieChange } from '../../../../pages/cookies.ts'
import type { Next } from '../../../../pages/next.ts'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { sessionCookie } from '../../../../pages/session-cookies.ts'
import type { FreshProof } from '../../../accounts/accounts.ts'
import type { Added, Enrollment } from '../../../enrollment/enrollment.ts'
import { callerOfBrowser, type Raised, type SessionCaller } from '../../../sessions/sessions.ts'
import { readCode, readCredential } from '../../factor-input.ts'
import type { AccountShown } from '../account/parts.tsx'
import type { AccountPage } from '../account/visits.ts'
import { codesView } from './codes.tsx'
import { textsOf } from './parts.tsx'
import { factorView, type SecurityShown, securityView } from './security.tsx'
import { isTotpUri, totpView } from './totp.tsx'

export interface SecurityPageNeeds {
  enrollment: Enrollment
  /** False with `PASSKEYS=off`. */
  mayUsePasskeys: boolean
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS). */
  rememberDays: number
  from(visit: Visit): Pick<FreshProof, 'ip' | 'client'>
}

const PAGE = '/account/security'

/** The page of the second factors of an account. It does what the routes below `/users/me/factors` do. */
export function securityPage(needs: SecurityPageNeeds): AccountPage {
  const { enrollment, mayUsePasskeys, rememberDays, from } = needs

  async function view(visit: Visit, account: AccountShown): Promise<View> {
    const { id, do: action, uri = '' } = visit.input
    const { problem, hidden } = account
    if (action === 'confirm' && problem && mayTryAgain(problem.code) && isTotpUri(uri))
      return totp(visit, { hidden: { ...hidden, id: id ?? '' }, uri, problem })
    const caller = callerOfBrowser(account.browser)
    const own = await enrollment.list(caller)
    const shown: SecurityShown = {
      factors: own.factors,
      recoveryCodes: own.recoveryCodes.remaining,
      isRequired: own.isRequired,
      needsMailedCode: own.needsMailedCode,
      mayUsePasskeys,
      trusted: await enrollment.listTrusted(caller),
    }
    const factor = action === 'confirm' ? undefined : own.factors.find((one) => one.id === id)
    return factor ? factorView(visit, account, { ...shown, factor }) : securityView(visit, account, shown)
  }

  const totp = (
    visit: Visit,
    of: Pick<Parameters<typeof totpView>[1], 'uri' | 'problem'> & { hidden: Record<string, string> },
  ) =>
    totpView(visit, {
      ...of,
      action: PAGE,
      hidden: { ...of.hidden, do: 'confirm' },
      back: { href: PAGE, label: textsOf(visit).security.title },
    })

  async function act(visit: Visit, caller: SessionCaller): Promise<string | Next | View> {
    const {
      id = '',
      form = '',
      name = '',
      code = '',
      password,
      credential = '',
      challenge_id: challengeId = '',
    } = visit.input
    const { ip, client } = from(visit)
    const proof = { ip, client }
    switch (visit.input.do) {
      case 'totp': {
        const name = textsOf(visit).security.types.totp
        const { id, uri } = await enrollment.beginTotp(caller, { ...proof, name })
        return totp(visit, { hidden: { form, id }, uri })
      }
      case 'confirm':
        return afterwards(visit, await enrollment.confirmTotp(caller, { ...proof, id, code: readCode(code, 'code') }))
      case 'register':
        return afterwards(
          visit,
          await enrollment.addPasskey(caller, { ...proof, challengeId, credential: readCredential(credential) }),
        )
      case 'rename':
        await enrollment.rename(caller, { id, name, ip })
        return `${PAGE}?renamed`
      case 'remove':
        await enrollment.remove(caller, { ...proof, id, password: password === '' ? undefined : password })
        return `${PAGE}?removed`
      case 'codes':
        return codes(visit, await enrollment.renewCodes(caller, proof), {})
      case 'untrust':
        await enrollment.removeTrusted(caller, { id: visit.input.device ?? '', ip })
        return `${PAGE}?untrusted`
      case 'untrust-all':
        await enrollment.removeAllTrusted(caller, { ip })
        return `${PAGE}?untrusted`
      default:
        throw new KeywardError('invalid_request')
    }
  }

  /** What follows a new factor: the recovery codes that came with the first one, or the list. */
  function afterwards(visit: Visit, { recoveryCodes, raised }: Added): Next | View {
    const cookies = [raisedCookie(raised, rememberDays)]
    if (recoveryCodes === undefined) return { next: `${PAGE}?added`, cookies }
    return { ...codes(visit, recoveryCodes, { added: '' }), cookies }
  }

  const codes = (visit: Visit, codes: readonly string[], query: Record<string, string>): View =>
    codesView(visit, { codes, next: { path: PAGE, query } })

  return {
    view,
    act,
    codes: [
      'reauthentication_required',
      'invalid_password',
      'mfa_enrollment_required',
      'invalid_code',
      'webauthn_failed',
      'synced_passkey',
      'totp_locked',
      'factor_not_found',
      'trusted_device_not_found',
      'too_many_factors',
      'credential_exists',
      'factor_required',
      'last_login_method',
      'no_factor',
      'rate_limited',
      'overloaded',
    ],
  }
}

/** True for a refusal after which the first code of an app can be entered once more. */
const mayTryAgain = (code: KeywardError['code']): boolean =>
  ['invalid_code', 'validation_failed', 'rate_limited', 'totp_locked'].includes(code)

/** The cookie of a session that was raised, which replaces the former one. */
export function raisedCookie(raised: Raised, rememberDays: number): CookieChange {
  if (!('cookie' in raised)) throw new Error('The session of a page has a cookie')
  return sessionCookie(raised, rememberDays)
}
