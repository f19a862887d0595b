import type { ErrorCode } from '../../../errors.ts'
import { Field, HiddenUsername } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import { ProblemNotice } from '../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { Account, deadView } from '../../../pages/parts.tsx'
import type { PendingFlow } from '../social.ts'
import type { Failure } from './texts/text.ts'
import { textsFor } from './texts/texts.ts'

/** What a page between the provider's answer and the end shows. */
export interface ContinueShown {
  flow: PendingFlow
  /** The label of the provider. */
  label: string
  /** The address that takes the forms of the page. */
  action: string
  /** The id of the flow. */
  id: string
  problem?: FormProblem | undefined
}

/** The page of a sign-in that goes on: for an address, for a code, or *You already have an account*. */
export function continueView(visit: Visit, shown: ContinueShown): View {
  const { page } = shown.flow
  const view = page === 'ask' ? askView : page === 'code' ? codeView : addressView
  return { ...view(visit, shown), formAction: shown.flow.request.formAction ?? '' }
}

function addressView(visit: Visit, { label, action, id, problem }: ContinueShown): View {
  const { title, intro, email, button, invalidEmail } = textsFor(visit).address
  const isRefused = problem !== undefined && problem.errors.length > 0
  return {
    title,
    content: (
      <>
        <ProblemNotice says={problem?.notice} />
        <p>{intro(label)}</p>
        <Form action={action} hidden={{ flow: id, do: 'address' }} button={button}>
          <Field
            name="email"
            label={email}
            autocomplete="email"
            value={problem && visit.input.email}
            error={isRefused ? invalidEmail : undefined}
            focus={isRefused}
          />
        </Form>
      </>
    ),
  }
}

/** The same page for every address: it must not tell who has an account. */
function codeView(visit: Visit, { flow, action, id, problem }: ContinueShown): View {
  const texts = textsFor(visit).code
  const isWrong = problem?.code === 'invalid_or_expired'
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={isWrong ? undefined : problem?.notice} />
        <Account text={texts.sent} email={flow.pending.address ?? ''} />
        <Form action={action} hidden={{ flow: id, do: 'code' }} button={texts.button}>
          <Field
            name="code"
            label={texts.code}
            autocomplete="one-time-code"
            hint={texts.hint}
            error={isWrong ? texts.wrong : undefined}
            focus={isWrong}
          />
        </Form>
      </>
    ),
  }
}

function askView(visit: Visit, { flow, label, action, id, problem }: ContinueShown): View {
  const texts = textsFor(visit).ask
  const { account, ways } = flow
  const isMissing = problem?.errors.some(({ field }) => field === 'password')
  const isWrong = problem?.code === 'invalid_password'
  const error = isWrong ? texts.wrongPassword : isMissing ? texts.missingPassword : undefined
  return {
    title: texts.title,
    content: (
      <>
        <ProblemNotice says={error === undefined ? problem?.notice : undefined} />
        <Account text={texts.account} email={account?.email ?? ''} />
        <p>{texts.why(label)}</p>
        <Form action={action} hidden={{ flow: id, do: 'password' }} button={texts.button}>
          <HiddenUsername username={account?.username ?? ''} />
          <Field
            name="password"
            label={texts.password}
            autocomplete="current-password"
            error={error}
            focus={error !== undefined}
          />
        </Form>
        {ways?.code && (
          <div class="other">
            <p>{texts.code.intro}</p>
            <Form action={action} hidden={{ flow: id, do: 'send' }} button={texts.code.button} look="plain" />
          </div>
        )}
        {ways?.startOver && (
          <details class="other">
            <summary>{texts.startOver.summary}</summary>
            <p>{texts.startOver.effect}</p>
            <Form action={action} hidden={{ flow: id, do: 'over' }} button={texts.startOver.button} look="danger" />
          </details>
        )}
      </>
    ),
  }
}

const failures: Partial<Record<ErrorCode, Failure>> = {
  provider_failed: 'failed',
  invalid_or_expired: 'expired',
  identity_taken: 'taken',
  invalid_credentials: 'refused',
  invalid_token: 'expired',
  registration_closed: 'closed',
  email_unverified: 'unverified',
  email_taken: 'addressTaken',
  validation_failed: 'domain',
}

/** The page of a refusal that ends a login at a provider. @returns undefined for a refusal that any page may answer */
export function failureView(visit: Visit, { code, status }: { code: ErrorCode; status: number }): View | undefined {
  const texts = textsFor(visit)
  const failure = failures[code]
  return (
    failure && { ...deadView(texts.failures[failure], { label: texts.back, href: visit.link('/sign-in') }), status }
  )
}
