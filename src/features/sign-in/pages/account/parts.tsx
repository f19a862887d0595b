import type { ComponentChildren } from 'preact'
import type { Locale } from '../../../../lib/locale.ts'
import { Field } from '../../../../pages/field.tsx'
import { Notice, ProblemNotice } from '../../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../../pages/pages.tsx'
import type { BrowserSession } from '../../../sessions/sessions.ts'
import { accountTexts } from './texts/texts.ts'

/**
 * `fresh`: nothing more. `password`: the password in the form. `factor`: the second factor, on a page of its own. `login`:
 * another login, because the account has no password.
 */
export type Freshness = 'fresh' | 'password' | 'factor' | 'login'

/** What every page of an account gets. */
export interface AccountShown {
  browser: BrowserSession
  /** The hidden fields of every form. */
  hidden: Record<'form', string>
  /** True when the account has a password. */
  hasPassword: boolean
  /** What a change needs that only a fresh session may make. */
  freshness: Freshness
  /** The page to prove again who one is, and back here. */
  proveAgain: string
  problem?: FormProblem | undefined
}

export const textsOf = ({ locale }: Pick<Visit, 'locale'>) => accountTexts[locale]

export interface PageBelowProps {
  title: string
  problem?: FormProblem['notice']
  /** What was done, after a successful form. */
  done?: string | undefined
  /** The page above this one; the overview by default. */
  back?: { href: string; label: string }
  children: ComponentChildren
}

/** A page below the overview: its notice, its content, and the link back. */
export function pageBelow(
  visit: Visit,
  { title, problem, done, back = { href: '/account', label: textsOf(visit).back }, children }: PageBelowProps,
): View {
  return {
    title,
    content: (
      <>
        <ProblemNotice says={problem} />
        {done !== undefined && (
          <Notice kind="done">
            <p role="status">{done}</p>
          </Notice>
        )}
        {children}
        <p class="back">
          <a href={visit.link(back.href)}>← {back.label}</a>
        </p>
      </>
    ),
  }
}

/** The notice of a refusal that no field of the page shows. */
export const noticeOf = (problem: FormProblem | undefined, atField: boolean) =>
  problem === undefined || atField || needsPassword(problem) ? undefined : problem.notice

const needsPassword = ({ code }: FormProblem) => code === 'invalid_password' || code === 'reauthentication_required'

/**
 * Asks for the password when the session is not fresh. A form with this field sends `password`.
 * @param focus false when another field has the focus
 */
export function ConfirmField({ visit, shown, focus = true }: { visit: Visit; shown: AccountShown; focus?: boolean }) {
  const { label, hint, missing, wrong } = textsOf(visit).confirm
  const { freshness, problem } = shown
  if (freshness !== 'password' && !(problem && needsPassword(problem))) return null
  const error =
    problem?.code === 'invalid_password' ? wrong : problem?.code === 'reauthentication_required' ? missing : undefined
  return (
    <Field
      name="password"
      label={label}
      hint={hint}
      autocomplete="current-password"
      error={error}
      focus={focus && error !== undefined}
    />
  )
}

/** True when a form cannot ask for what the change needs. */
export const mustProveAgain = ({ freshness }: AccountShown): boolean => freshness === 'factor' || freshness === 'login'

/** Stands in place of a form that needs a fresh session. */
export function ProveAgain({ visit, shown }: { visit: Visit; shown: Pick<AccountShown, 'freshness' | 'proveAgain'> }) {
  const { confirm } = textsOf(visit)
  const { text, link } = shown.freshness === 'login' ? confirm.logInAgain : confirm.proveAgain
  return (
    <>
      <p>{text}</p>
      <a class="button" href={visit.link(shown.proveAgain)}>
        {link}
      </a>
    </>
  )
}

/** Writes a time in the language of the page, in UTC. */
export const timeText = (at: number, locale: Locale): string =>
  `${new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC`
