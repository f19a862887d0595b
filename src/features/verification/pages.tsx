import { Elysia } from 'elysia'
import { invalidField, MISSING } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import type { FormProblem, Pages, Visit } from '../../pages/pages.tsx'
import { shown, submitted } from '../../pages/routes.ts'
import { addressDone, addressView } from './pages/address.tsx'
import { forgotView } from './pages/forgot.tsx'
import { recoveryDone, recoveryView } from './pages/recovery.tsx'
import { resetDone, resetView } from './pages/reset.tsx'
import { verifyDone, verifyView } from './pages/verify.tsx'
import type { Verification } from './verification.ts'

export interface VerificationPagesNeeds {
  /** Undefined when `PAGES` is `off`; then this feature has no page routes. */
  pages: Pages | undefined
  /** The least number of characters in a new password. */
  minLength: number
}

/** The pages to which the links of mails lead. Each does what a route of `routes.ts` does, by the same use case. */
export function verificationPages(
  verification: Verification,
  { pages, minLength }: VerificationPagesNeeds,
  kit: HttpKit,
) {
  const routes = new Elysia({ name: 'keyward.verification-pages' }).use(kit.plugin)
  if (pages === undefined) return routes

  /** A page with one button, which changes the address of an account. */
  const addressPage = (
    page: 'confirm' | 'undo',
    find: Verification['findForConfirm'],
    act: (request: { token: string; ip: string }) => Promise<unknown>,
  ) => {
    const view = async (visit: Visit, problem?: FormProblem) =>
      addressView(visit, page, { found: await find(visit.input.token ?? ''), problem })
    return {
      show: ({ request }: { request: Request }) =>
        pages.show(request, (visit) => ('done' in visit.input ? addressDone(visit, page) : view(visit))),
      submit: ({ request }: { request: Request }) =>
        pages.submit(request, {
          async act({ input: { token = '' } }) {
            await act({ token, ip: kit.clientIp(request) })
            return `/${page}?done`
          },
          again: view,
        }),
    }
  }
  const confirm = addressPage('confirm', verification.findForConfirm, verification.confirmEmail)
  const undo = addressPage('undo', verification.findForUndo, verification.undoEmail)

  return routes
    .get('/forgot', ({ request }) => pages.show(request, (visit) => forgotView(visit)), {
      ...open,
      limit: { none: 'it reads no data' },
      response: shown(),
      detail: { summary: 'Ask for a link to choose a new password', tags: ['pages'] },
    })
    .post(
      '/forgot',
      ({ request }) =>
        pages.submit(request, {
          async act({ input: { email = '' }, locale }) {
            await verification.forgotPassword({ email, locale, ...kit.requester(request) })
            return '/forgot?sent'
          },
          again: async (visit, problem) => forgotView(visit, problem),
        }),
      {
        ...open,
        limit: 'mail',
        parse: 'none',
        response: submitted('rate_limited', 'mail_not_configured'),
        detail: { summary: 'Send the link', tags: ['pages'] },
      },
    )
    .get(
      '/reset',
      ({ request }) =>
        pages.show(request, async (visit) => {
          if ('done' in visit.input) return resetDone(visit)
          return resetView(visit, { user: await verification.findForReset(visit.input.token ?? ''), minLength })
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits, and nothing else is read' },
        response: shown('invalid_or_expired'),
        detail: { summary: 'Choose a new password', tags: ['pages'] },
      },
    )
    .post(
      '/reset',
      ({ request }) =>
        pages.submit(request, {
          async act({ input: { token = '', password = '' } }) {
            await verification.resetPassword({ token, password, ...kit.requester(request) })
            return '/reset?done'
          },
          async again(visit, problem) {
            const user = await verification.findForReset(visit.input.token ?? '')
            return resetView(visit, { user, minLength, problem })
          },
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits; without it no password is hashed' },
        parse: 'none',
        response: submitted('invalid_or_expired', 'overloaded'),
        detail: { summary: 'Set the new password', tags: ['pages'] },
      },
    )
    .get(
      '/verify',
      ({ request }) =>
        pages.show(request, async (visit) => {
          if ('done' in visit.input) return verifyDone(visit)
          return verifyView(visit, { account: await verification.findForVerify(visit.input.token ?? ''), minLength })
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits, and nothing else is read' },
        response: shown('invalid_or_expired'),
        detail: { summary: 'Prove an address', tags: ['pages'] },
      },
    )
    .post(
      '/verify',
      ({ request }) =>
        pages.submit(request, {
          async act({ input: { token = '', password = '', new_password: newPassword, username }, locale }) {
            // An empty password is refused here, because `verifyEmail` would count it as a failed login.
            if (newPassword === undefined && password === '') {
              if (await verification.findForVerify(token)) throw invalidField('password', MISSING)
            }
            const chosen = newPassword === undefined ? { password } : { newPassword }
            await verification.verifyEmail({ token, ...chosen, username, locale, ...kit.requester(request) })
            return '/verify?done'
          },
          async again(visit, problem) {
            const account = await verification.findForVerify(visit.input.token ?? '')
            return verifyView(visit, { account, minLength, problem })
          },
        }),
      {
        ...open,
        limit: 'login',
        parse: 'none',
        response: submitted('invalid_or_expired', 'invalid_password', 'username_taken', 'rate_limited', 'overloaded'),
        detail: { summary: 'Show that the account is yours, or set a new password', tags: ['pages'] },
      },
    )
    .get('/confirm', confirm.show, {
      ...open,
      limit: { none: 'the token has 256 random bits, and nothing else is read' },
      response: shown('invalid_or_expired'),
      detail: { summary: 'Confirm a new address', tags: ['pages'] },
    })
    .post('/confirm', confirm.submit, {
      ...open,
      limit: { none: 'the token has 256 random bits' },
      parse: 'none',
      response: submitted('invalid_or_expired', 'email_taken', 'mail_not_configured'),
      detail: { summary: 'Change the address', tags: ['pages'] },
    })
    .get('/undo', undo.show, {
      ...open,
      limit: { none: 'the token has 256 random bits, and nothing else is read' },
      response: shown('invalid_or_expired'),
      detail: { summary: 'Undo the change of an address', tags: ['pages'] },
    })
    .post('/undo', undo.submit, {
      ...open,
      limit: { none: 'the token has 256 random bits' },
      parse: 'none',
      response: submitted('invalid_or_expired', 'mail_not_configured'),
      detail: { summary: 'Bring the former address back', tags: ['pages'] },
    })
    .get(
      '/factor-recovery',
      ({ request }) =>
        pages.show(request, async (visit) => {
          if ('done' in visit.input) return recoveryDone(visit)
          return recoveryView(visit, { user: await verification.findForRecovery(visit.input.token ?? '') })
        }),
      {
        ...open,
        limit: { none: 'the token has 256 random bits, and nothing else is read' },
        response: shown('invalid_or_expired'),
        detail: { summary: 'Remove lost second factors', tags: ['pages'] },
      },
    )
    .post(
      '/factor-recovery',
      ({ request }) =>
        pages.submit(request, {
          async act({ input: { token = '', password = '' } }) {
            // An empty password is refused here, because it would count as a failed login.
            if (password === '' && (await verification.findForRecovery(token))) throw invalidField('password', MISSING)
            await verification.recoverFactors({ token, password, ...kit.requester(request) })
            return '/factor-recovery?done'
          },
          async again(visit, problem) {
            return recoveryView(visit, { user: await verification.findForRecovery(visit.input.token ?? ''), problem })
          },
        }),
      {
        ...open,
        limit: 'login',
        parse: 'none',
        response: submitted('invalid_or_expired', 'invalid_password', 'rate_limited', 'overloaded'),
        detail: { summary: 'Show the password, and remove them', tags: ['pages'] },
      },
    )
}

const open = { open: true, page: true } as const
