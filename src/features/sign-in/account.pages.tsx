import { Elysia } from 'elysia'
import { invalidField, MISSING } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answerParts } from '../../http/parts.ts'
import type { Clock } from '../../lib/clock.ts'
import { isLocale } from '../../lib/locale.ts'
import type { Pages, Visit } from '../../pages/pages.tsx'
import { optionsAnswer, shown, submitted } from '../../pages/routes.ts'
import type { Accounts } from '../accounts/accounts.ts'
import type { Enrollment } from '../enrollment/enrollment.ts'
import type { Mails } from '../mail/mail.ts'
import type { SessionCaller, Sessions } from '../sessions/sessions.ts'
import type { Verification } from '../verification/verification.ts'
import { addressView, passwordView } from './pages/account/credentials.tsx'
import { deletedView, deleteView, exportView } from './pages/account/data.tsx'
import {
  appsView,
  type ConnectedApp,
  identitiesView,
  type LinkedIdentity,
  sessionsView,
} from './pages/account/lists.tsx'
import { overviewView, type PageBelow } from './pages/account/overview.tsx'
import type { AccountShown } from './pages/account/parts.tsx'
import { profileView } from './pages/account/profile.tsx'
import { type AccountPage, accountVisits } from './pages/account/visits.ts'
import { securityPage } from './pages/factors/security-page.ts'
import type { SocialProvider } from './pages/providers.tsx'
import type { SignIn } from './sign-in.ts'

/** The applications of a user. The overview leads to them when there are any. */
export interface ConnectedApps {
  list(userId: number): Promise<readonly ConnectedApp[]>
  /** @throws KeywardError `client_not_found`, `rate_limited` */
  withdraw(caller: SessionCaller, clientId: string, ip: string): Promise<void>
}

/** The accounts of a user at other services. The overview leads to them when there are any, or when one can be linked. */
export interface LinkedIdentities {
  list(userId: number): Promise<readonly LinkedIdentity[]>
  /** The services that the user can link. */
  providers(userId: number): Promise<readonly SocialProvider[]>
  /** @throws KeywardError `identity_not_found`, `last_login_method`, and those of `Accounts.requireFresh` */
  unlink(caller: SessionCaller, id: string, from: { ip: string; client: string }): Promise<void>
}

export interface AccountPagesNeeds {
  /** Undefined when `PAGES` is `off`, and where pages may not use cookies; then this feature has no page routes. */
  pages: Pages | undefined
  clock: Clock
  accounts: Pick<
    Accounts,
    'updateProfile' | 'changePassword' | 'exportOwn' | 'deleteOwn' | 'proofNeeded' | 'hasPassword'
  >
  sessions: Pick<Sessions, 'listOwn' | 'endOwn' | 'endOwnAll'>
  verification: Pick<Verification, 'askToVerify'>
  mails: Pick<Mails, 'isOn'>
  enrollment: Enrollment
  /** The least number of characters in a password. */
  minLength: number
  /** The RP ID of passkeys; undefined with `PASSKEYS=off`. */
  rpId: string | undefined
  /** How long "keep me logged in" lasts (REMEMBER_ME_DAYS). */
  rememberDays: number
  apps?: ConnectedApps
  identities?: LinkedIdentities
}

/** The pages with which people see and change their account. Each does what a JSON route does. */
export function accountPages(signIn: SignIn, needs: AccountPagesNeeds, kit: HttpKit) {
  const { pages, clock, accounts, sessions, verification, mails, minLength, apps, identities } = needs
  const { enrollment, rpId, rememberDays } = needs
  const mayUsePasskeys = rpId !== undefined
  const routes = new Elysia({ name: 'keyward.account-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  const from = ({ request }: Visit) => kit.requester(request)
  const { show, submission } = accountVisits(signIn, { clock, accounts })

  const security = securityPage({ enrollment, mayUsePasskeys, rememberDays, from })
  const below: Partial<Record<PageBelow, AccountPage>> = {
    profile: {
      view: profileView,
      async act(visit, caller) {
        const { username, name = '', locale = '' } = visit.input
        await accounts.updateProfile(caller, {
          username,
          name: name.trim() === '' ? null : name,
          locale: isLocale(locale) ? locale : null,
          requestLocale: visit.locale,
          ...from(visit),
        })
        return '/account/profile?saved'
      },
      codes: ['username_taken', 'rate_limited'],
    },
    address: {
      view: (visit, shown) => addressView(visit, shown, mails.isOn),
      async act(visit, caller) {
        const { email = '', password, resend } = visit.input
        if (resend === 'yes') {
          if (caller.user.emailVerifiedAt !== null) return '/account/address'
          await verification.askToVerify({ email: caller.user.email, locale: visit.locale, ...from(visit) })
          return '/account/address?resent'
        }
        if (email.trim() === caller.user.email)
          throw invalidField('email', { message: 'It is the same', reason: 'same' })
        const change = { email, password: typed(password), requestLocale: visit.locale, ...from(visit) }
        await accounts.updateProfile(caller, change)
        return '/account/address?sent'
      },
      codes: [...freshCodes, 'mfa_enrollment_required', 'mail_not_configured'],
    },
    password: {
      view: (visit, shown) => passwordView(visit, shown, minLength),
      async act(visit, caller) {
        const { current_password: currentPassword = '', new_password: newPassword = '' } = visit.input
        // An empty password is refused here, because the use case would count it as a failed login.
        if (currentPassword === '') throw invalidField('current_password', MISSING)
        await accounts.changePassword(caller, { currentPassword, newPassword, ...from(visit) })
        return '/account/password?saved'
      },
      codes: [...freshCodes],
    },
    security,
    sessions: {
      view: async (visit, shown) =>
        sessionsView(visit, shown, await sessions.listOwn({ userId: shown.browser.user.id })),
      async act(visit, caller) {
        const { ip } = from(visit)
        if (visit.input.all === 'yes') await sessions.endOwnAll(caller, { exceptCurrent: true, ip })
        else await sessions.endOwn(caller, visit.input.id ?? '', ip)
        return '/account/sessions?ended'
      },
      codes: ['session_not_found', 'rate_limited'],
    },
    apps: apps && {
      view: async (visit, shown) => appsView(visit, shown, await apps.list(shown.browser.user.id)),
      async act(visit, caller) {
        await apps.withdraw(caller, visit.input.id ?? '', from(visit).ip)
        return '/account/apps?ended'
      },
      codes: ['client_not_found', 'rate_limited'],
      isUsed: async (userId) => (await apps.list(userId)).length > 0,
    },
    identities: identities && {
      async view(visit, shown) {
        const { id } = shown.browser.user
        const lists = { identities: await identities.list(id), providers: await identities.providers(id) }
        return identitiesView(visit, shown, lists)
      },
      async act(visit, caller) {
        await identities.unlink(caller, visit.input.id ?? '', from(visit))
        return '/account/identities?ended'
      },
      codes: [...freshCodes, 'identity_not_found', 'last_login_method'],
      isUsed: async (userId) =>
        (await identities.list(userId)).length > 0 || (await identities.providers(userId)).length > 0,
    },
    export: {
      view: exportView,
      async act(visit, caller) {
        const parts = await accounts.exportOwn(caller, { password: typed(visit.input.password), ...from(visit) })
        const name = `${visit.app.replace(/[^\w-]+/g, '-')}-export.json`
        return answerParts(parts, {
          'content-disposition': `attachment; filename="${name}"`,
          'content-security-policy': "default-src 'none'",
        })
      },
      codes: [...freshCodes],
    },
    delete: {
      view: deleteView,
      async act(visit, caller) {
        await accounts.deleteOwn(caller, { password: typed(visit.input.password), ...from(visit) })
        const cookies = (['session', 'device', 'trusted'] as const).map((name) => ({ name, value: null }))
        return { next: '/account/delete?done', cookies }
      },
      codes: [...freshCodes, 'last_admin'],
    },
  }
  const names = Object.entries(below).flatMap(([name, page]) => (page ? [name as PageBelow] : []))

  const usedBy = async ({ browser: { user } }: AccountShown): Promise<PageBelow[]> => {
    const used = await Promise.all(names.map(async (name) => (await below[name]?.isUsed?.(user.id)) ?? true))
    return names.filter((_, at) => used[at])
  }

  routes.get(
    '/account',
    ({ request }) =>
      pages.show(request, (visit) => show(visit, '', async (one) => overviewView(visit, one, await usedBy(one)))),
    {
      ...open,
      limit: read,
      response: { ...shown(), 303: submitted()[303] },
      detail: { summary: 'See your account', tags: ['pages'] },
    },
  )
  for (const name of names) {
    const { view, act, codes } = below[name]!
    routes.get(
      `/account/${name}`,
      ({ request }) =>
        pages.show(request, (visit) =>
          name === 'delete' && 'done' in visit.input
            ? deletedView(visit)
            : show(visit, name, (one) => view(visit, one)),
        ),
      {
        ...open,
        limit: read,
        response: { ...shown(), 303: submitted()[303] },
        detail: { summary: `See the page ${name} of your account`, tags: ['pages'] },
      },
    )
    routes.post(`/account/${name}`, ({ request }) => pages.submit(request, submission(name, { view, act })), {
      ...open,
      limit: name === 'security' ? ['login', 'factor', 'mfa'] : ['login', 'account', 'mail', 'mfa'],
      parse: 'none',
      response: { 200: shown()[200], ...submitted(...codes) },
      detail: { summary: `Send the form of the page ${name}`, tags: ['pages'] },
    })
  }
  if (mayUsePasskeys)
    routes.post(
      '/account/security/options',
      ({ request }) => {
        const begin = async (visit: Visit, caller: SessionCaller) => {
          const kind = visit.input.kind === 'security_key' ? 'security_key' : 'passkey'
          const { challengeId, options } = await enrollment.beginPasskey(caller, { kind, ...from(visit) })
          return Response.json({ options, challenge_id: challengeId }, { headers: { 'cache-control': 'no-store' } })
        }
        return pages.submit(request, submission('security', { view: security.view, act: begin }))
      },
      {
        ...open,
        limit: ['login', 'factor', 'mfa'],
        parse: 'none',
        response: {
          ...optionsAnswer,
          ...submitted('reauthentication_required', 'mfa_enrollment_required', 'too_many_factors', 'rate_limited'),
        },
        detail: { summary: 'Get the options of WebAuthn for a new passkey or security key', tags: ['pages'] },
      },
    )
  return routes
}

const open = { open: true, page: true } as const
const read = { none: 'it reads the session of a cookie with a MAC' }

const freshCodes = ['reauthentication_required', 'invalid_password', 'rate_limited', 'overloaded'] as const

/** The password of a form; undefined for an empty field, which is no wrong password. */
const typed = (password: string | undefined): string | undefined => (password === '' ? undefined : password)
