import { Field } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import { ProblemNotice } from '../../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../../pages/pages.tsx'
import type { SignInRequest } from '../../sign-in.ts'
import { textsOf } from './parts.tsx'

/** The data that the page shows besides its texts. */
export interface EnrollShown {
  request: SignInRequest
  /** The sealed request. */
  sealed: string
  problem?: FormProblem | undefined
}

const PAGE = '/sign-in/enroll'

/** The page of a login that first needs a second factor. Passkeys are added after the login. */
export function enrollView(visit: Visit, { request, sealed, problem }: EnrollShown): View {
  const { enroll, second, totp, security } = textsOf(visit)
  const isLate = problem?.code === 'factor_not_found'
  return {
    title: enroll.title,
    formAction: request.formAction,
    content: (
      <>
        <ProblemNotice says={isLate ? { title: totp.title, text: totp.expired } : problem?.notice} />
        <p>{enroll.text}</p>
        <p>{security.add.totpHint}</p>
        <Form action={visit.link(PAGE)} hidden={{ request: sealed, do: 'totp' }} button={security.add.totp} />
        <ul class="links">
          <li>
            <a href={visit.link(`/sign-in?request=${sealed}`)}>{second.other}</a>
          </li>
        </ul>
      </>
    ),
  }
}

/** The page before the choice: the code of a mail, because the password alone must not be enough to add a factor. */
export function enrollMailView(visit: Visit, shown: EnrollShown & { challengeId: string }): View {
  const { enroll, second, ways } = textsOf(visit)
  const { request, sealed, challengeId, problem } = shown
  const { mail } = enroll
  const isMissing = problem !== undefined && problem.errors.length > 0
  const error = problem?.code === 'invalid_code' ? mail.wrong : isMissing ? ways.missing : undefined
  return {
    title: enroll.title,
    formAction: request.formAction,
    content: (
      <>
        <ProblemNotice says={error === undefined ? problem?.notice : undefined} />
        <p>{mail.text}</p>
        <Form
          action={visit.link(PAGE)}
          hidden={{ request: sealed, do: 'mail', challenge_id: challengeId }}
          button={mail.button}
        >
          <Field
            name="code"
            label={mail.code}
            hint={mail.hint}
            autocomplete="one-time-code"
            error={error}
            focus={problem === undefined || error !== undefined}
          />
        </Form>
        <Form action={visit.link(PAGE)} hidden={{ request: sealed, do: 'totp' }} button={mail.send} look="plain" />
        <ul class="links">
          <li>
            <a href={visit.link(`/sign-in?request=${sealed}`)}>{second.other}</a>
          </li>
        </ul>
      </>
    ),
  }
}
