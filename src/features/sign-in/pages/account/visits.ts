import { type ErrorCode, KeywardError } from '../../../../errors.ts'
import { noteUser } from '../../../../http/caller.ts'
import type { Clock } from '../../../../lib/clock.ts'
import type { Next } from '../../../../pages/next.ts'
import type { FormProblem, Submission, View, Visit } from '../../../../pages/pages.tsx'
import { toSecond } from '../../../../pages/to-second.ts'
import { formCookieOf, toSignIn } from '../../../../pages/to-sign-in.ts'
import type { Accounts } from '../../../accounts/accounts.ts'
import { callerOfBrowser, type SessionCaller } from '../../../sessions/sessions.ts'
import type { SignIn } from '../../sign-in.ts'
import type { PageBelow } from './overview.tsx'
import type { AccountShown } from './parts.tsx'

/** One page below `/account`. */
export interface AccountPage {
  view(visit: Visit, shown: AccountShown): View | Promise<View>
  /** Does what the form asks for, by the use case of the JSON route. */
  act(visit: Visit, caller: SessionCaller): Promise<string | Next | View | Response>
  codes: readonly ErrorCode[]
  /** Whether the overview leads to the page; always, if undefined. */
  isUsed?(userId: number): Promise<boolean>
}

export interface AccountVisitsNeeds {
  clock: Clock
  accounts: Pick<Accounts, 'proofNeeded' | 'hasPassword'>
}

/** How the pages of an account know their owner. */
export interface AccountVisits {
  /** Shows a page to the owner of a browser session; anybody else is asked to log in. */
  show(
    visit: Visit,
    page: PageBelow | '',
    view: (shown: AccountShown) => View | Promise<View>,
    problem?: FormProblem,
  ): Promise<View | Next>
  /** Takes a form of a page, or a request of its script. */
  submission(
    page: PageBelow,
    of: { view: AccountPage['view']; act(visit: Visit, caller: SessionCaller): ReturnType<Submission['act']> },
  ): Submission
}

export function accountVisits(signIn: SignIn, { clock, accounts }: AccountVisitsNeeds): AccountVisits {
  const toLogIn = (visit: Visit, page: string): Next =>
    toSignIn(signIn, visit, { to: 'account', query: page, seen: clock.now() })

  const show: AccountVisits['show'] = async (visit, page, view, problem) => {
    const browser = await visit.browser()
    if (!browser) return toLogIn(visit, page)
    noteUser(visit.request, browser.user.id)
    const { value, change } = formCookieOf(signIn, visit)
    const { id } = visit.input
    const query = page === 'security' && id !== undefined ? `security?id=${encodeURIComponent(id)}` : page
    const asked = signIn.seal({ to: 'account', query, seen: clock.now() }, value)
    const hasPassword = await accounts.hasPassword(browser.user.id)
    const needed = await accounts.proofNeeded(callerOfBrowser(browser))
    const freshness = needed === 'credential' ? (hasPassword ? 'password' : 'login') : freshnessOf[needed]
    // The page to log in asks for everything again; the other one only for what is missing.
    const provePage = freshness === 'login' ? 'sign-in' : 'sign-in/step-up'
    const made = await view({
      browser,
      hidden: { form: signIn.formToken(value) },
      hasPassword,
      freshness,
      proveAgain: `/${provePage}?request=${asked}`,
      problem,
    })
    return { ...made, cookies: [change] }
  }

  return {
    show,
    submission: (page, { view, act }) => ({
      async act(visit) {
        if (!signIn.isFormToken(visit.input.form ?? '', visit.cookie('form'))) throw new KeywardError('csrf_refused')
        const browser = await visit.browser()
        if (!browser) return toLogIn(visit, page)
        noteUser(visit.request, browser.user.id)
        try {
          return await act(visit, callerOfBrowser(browser))
        } catch (error) {
          // The session has ended since it was read.
          if (error instanceof KeywardError && error.code === 'invalid_token') return toLogIn(visit, page)
          // The code of a mail is needed first, to add a second factor.
          const asked = { to: 'account', query: page, seen: clock.now() } as const
          return toSecond(error, signIn.seal(asked, formCookieOf(signIn, visit).value))
        }
      },
      async again(visit, problem) {
        if (problem.code === 'csrf_refused') return undefined
        const made = await show(visit, page, (one) => view(visit, one), problem)
        return 'next' in made ? undefined : made
      },
    }),
  }
}

const freshnessOf = { none: 'fresh', factor: 'factor' } as const
