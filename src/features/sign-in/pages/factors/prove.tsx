import type { ComponentChildren } from 'preact'
import { Checkbox, Field } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import { ProblemNotice } from '../../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../../pages/pages.tsx'
import { deadView } from '../../../../pages/parts.tsx'
import type { FactorMethod } from '../../../factors/factors.ts'
import type { SignInRequest } from '../../sign-in.ts'
import { textsOf, WebauthnForm, WithoutPasskeys, webauthnNotice } from './parts.tsx'

/** The data that the page shows besides its texts. */
export interface ProveShown {
  /** A login that waits for its second factor, or a person who is logged in already. */
  page: '/sign-in/second' | '/sign-in/step-up'
  /** The methods that work now. The first is shown, and the others are links. */
  methods: readonly FactorMethod[]
  request: SignInRequest
  /** The sealed request. */
  sealed: string
  problem?: FormProblem | undefined
  /** For how many days the device can be trusted; undefined when it cannot be. */
  trustDays?: number | undefined
}

/** The form in which a person shows a second factor. */
export function proveView(visit: Visit, { page, methods, request, sealed, problem, trustDays }: ProveShown): View {
  const { second, stepUp, ways } = textsOf(visit)
  const way = methods.find((method) => method === visit.input.way) ?? methods[0]
  const others = methods.filter((method) => method !== way)
  const isLogin = page === '/sign-in/second'
  const error = way === undefined ? undefined : codeError(visit, way, problem)
  const locked = problem?.code === 'totp_locked' ? ways.locked : undefined
  const notice = error === undefined ? (locked ?? webauthnNotice(visit, problem) ?? problem?.notice) : undefined
  const hidden = { request: sealed, way: way ?? '' }
  const focus = notice === undefined
  const trust = trustDays !== undefined && (
    <Checkbox name="trust" label={second.trust(trustDays)} checked={visit.input.trust === 'on'} />
  )
  return {
    title: isLogin ? second.title : stepUp.title,
    formAction: request.formAction,
    ...(way === 'webauthn' && { script: 'passkey' }),
    content: (
      <>
        <ProblemNotice says={notice} />
        {!isLogin && <p>{reasonOf(visit, request) ?? stepUp.text}</p>}
        {way === 'webauthn' && <WebauthnWay visit={visit} page={page} hidden={hidden} trust={trust} />}
        {way === 'totp' && (
          <Form action={visit.link(page)} hidden={hidden} button={ways.button}>
            <Field
              name="otp"
              label={ways.code}
              hint={ways.codeHint}
              autocomplete="one-time-code"
              error={error}
              focus={focus}
            />
            {trust}
          </Form>
        )}
        {way === 'recovery_code' && (
          <Form action={visit.link(page)} hidden={hidden} button={ways.button}>
            <Field
              name="recovery_code"
              label={ways.recoveryCode}
              hint={ways.recoveryHint}
              autocomplete="off"
              error={error}
              focus={focus}
            />
          </Form>
        )}
        <ul class="links">
          {others.map((method) => (
            <li key={method}>
              <a href={visit.link(`${page}?request=${sealed}&way=${method}`)}>{ways.use[method]}</a>
            </li>
          ))}
          {isLogin && (
            <li>
              <a href={visit.link(`/sign-in?request=${sealed}`)}>{second.other}</a>
            </li>
          )}
        </ul>
        <p class="legal lost">{ways.lost}</p>
      </>
    ),
  }
}

interface WebauthnWayProps {
  visit: Visit
  page: string
  hidden: Record<string, string>
  /** The box to trust the device. */
  trust: ComponentChildren
}

function WebauthnWay({ visit, page, hidden, trust }: WebauthnWayProps) {
  const { prove, proveHint } = textsOf(visit).webauthn
  return (
    <>
      <WebauthnForm visit={visit} action={page} options={`${page}/options`} use="get" hidden={hidden} button={prove}>
        <p>{proveHint}</p>
        {trust}
      </WebauthnForm>
      <WithoutPasskeys visit={visit} />
    </>
  )
}

function codeError(visit: Visit, way: FactorMethod, problem: FormProblem | undefined): string | undefined {
  const { missing, wrongCode, wrongRecoveryCode } = textsOf(visit).ways
  if (problem === undefined || way === 'webauthn') return undefined
  if (problem.errors.length > 0) return missing
  if (problem.code !== 'invalid_code') return undefined
  return way === 'totp' ? wrongCode : wrongRecoveryCode
}

/** The page on which a person without a second factor enters the password again. */
export function provePasswordView(visit: Visit, shown: Omit<ProveShown, 'page' | 'methods'>): View {
  const { title, text, password, wrongPassword, missingPassword } = textsOf(visit).stepUp
  const { request, sealed, problem } = shown
  const isMissing = problem !== undefined && problem.errors.length > 0
  const error = problem?.code === 'invalid_password' ? wrongPassword : isMissing ? missingPassword : undefined
  return {
    title,
    formAction: request.formAction,
    content: (
      <>
        <ProblemNotice says={error === undefined ? problem?.notice : undefined} />
        <p>{text}</p>
        <Form action={visit.link('/sign-in/step-up')} hidden={{ request: sealed }} button={textsOf(visit).ways.button}>
          <Field
            name="password"
            label={password}
            autocomplete="current-password"
            error={error}
            focus={problem === undefined || error !== undefined}
          />
        </Form>
      </>
    ),
  }
}

/**
 * The page for a person who has no factor of the level that an application asks for: they may add one, or go back.
 * @param shown.back the path that answers the application; undefined when nothing waits for an answer
 */
export function factorMissingView(visit: Visit, shown: { request: SignInRequest; back: string | undefined }): View {
  const { enroll, security, stepUp } = textsOf(visit)
  const { clientName = visit.app, formAction } = shown.request
  return {
    title: enroll.title,
    formAction,
    content: (
      <>
        <p>{reasonOf(visit, shown.request)}</p>
        <a class="button" href={visit.link('/account/security')}>
          {security.title}
        </a>
        {shown.back !== undefined && (
          <ul class="links">
            <li>
              <a href={visit.link(shown.back)}>{stepUp.back(clientName)}</a>
            </li>
          </ul>
        )}
      </>
    ),
  }
}

/** Says which application asks for which level; undefined when none does. */
function reasonOf(visit: Visit, { level, clientName = visit.app }: SignInRequest): string | undefined {
  if (level === undefined || level === 'aal1') return undefined
  return textsOf(visit).stepUp.asked[level](clientName)
}

/** The page of a login that cannot go on. @param again the page that begins the login anew */
export function deadLoginView(visit: Visit, again: string): View {
  const { dead } = textsOf(visit).second
  return deadView(dead, { label: dead.button, href: visit.link(again) })
}
