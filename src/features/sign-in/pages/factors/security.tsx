import { Field } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import { Notice } from '../../../../pages/notice.tsx'
import type { FormProblem, View, Visit } from '../../../../pages/pages.tsx'
import type { Saying } from '../../../../pages/texts/text.ts'
import type { Factor, TrustedDevice } from '../../../factors/factors.ts'
import { type AccountShown, ProveAgain, pageBelow, timeText } from '../account/parts.tsx'
import { AddFactor } from './add.tsx'
import { textsOf } from './parts.tsx'
import { TrustedDevices } from './trusted.tsx'

/** What the page about the second factors of an account shows. */
export interface SecurityShown {
  factors: readonly Factor[]
  recoveryCodes: number
  /** True when a rule of the service wants a second factor of the account. */
  isRequired: boolean
  /** True when the first factor needs the code of a mail, and only an authenticator app can be the first one. */
  needsMailedCode: boolean
  /** False with `PASSKEYS=off`. */
  mayUsePasskeys: boolean
  trusted: readonly TrustedDevice[]
}

const PAGE = '/account/security'

/** The second factors of an account, and what can be added. */
export function securityView(visit: Visit, account: AccountShown, shown: SecurityShown): View {
  const { security: texts, factor, totp, enroll, trusted } = textsOf(visit)
  const { factors, isRequired, needsMailedCode, mayUsePasskeys } = shown
  const { input } = visit
  const { problem, hidden } = account
  const isNotFound = problem?.code === 'factor_not_found'
  const isUntrusted = problem?.code === 'trusted_device_not_found'
  // An app that waited for its first code for too long.
  const isLate = isNotFound && input.do === 'confirm'
  const done =
    isNotFound && !isLate
      ? factor.gone
      : 'added' in input
        ? texts.isAdded
        : 'removed' in input
          ? texts.isRemoved
          : 'renamed' in input
            ? texts.isRenamed
            : 'untrusted' in input || isUntrusted
              ? trusted.ended
              : undefined
  const hasUsable = factors.some(({ isUsable }) => isUsable)
  return {
    ...pageBelow(visit, {
      title: texts.title,
      problem: isLate
        ? { title: totp.title, text: totp.expired }
        : isNotFound || isUntrusted
          ? undefined
          : noticeOf(visit, problem),
      done,
      children: (
        <>
          {isRequired && !hasUsable && (
            <Notice kind="warning">
              <p>{enroll.text}</p>
              {needsMailedCode && <p>{enroll.mailFirst}</p>}
            </Notice>
          )}
          <p>{hasUsable ? texts.intro : texts.none}</p>
          {factors.length > 0 && (
            <ul class="list">
              {factors.map((one) => (
                <FactorRow key={one.id} visit={visit} factor={one} />
              ))}
            </ul>
          )}
          {account.freshness !== 'fresh' ? (
            <ProveAgain visit={visit} shown={account} />
          ) : (
            <>
              {hasUsable && <RecoveryCodes visit={visit} hidden={hidden} left={shown.recoveryCodes} />}
              <h2>{texts.add.title}</h2>
              <AddFactor
                visit={visit}
                page={PAGE}
                hidden={hidden}
                mayUsePasskeys={mayUsePasskeys && !needsMailedCode}
              />
            </>
          )}
          <TrustedDevices visit={visit} page={PAGE} hidden={hidden} devices={shown.trusted} />
        </>
      ),
    }),
    ...(mayUsePasskeys && { script: 'passkey' }),
  }
}

function noticeOf(visit: Visit, problem: FormProblem | undefined): Saying | undefined {
  const { webauthn, security } = textsOf(visit)
  switch (problem?.code) {
    case 'webauthn_failed':
      return webauthn.notAdded
    case 'synced_passkey':
      return { ...webauthn.notAdded, text: webauthn.synced }
    case 'credential_exists':
      return { ...webauthn.notAdded, text: webauthn.exists }
    case 'too_many_factors':
      return { ...webauthn.notAdded, text: security.tooMany }
    default:
      return problem?.notice
  }
}

function FactorRow({ visit, factor }: { visit: Visit; factor: Factor }) {
  const texts = textsOf(visit).security
  const { id, type, name, createdAt, lastUsedAt, isUsable, isSynced } = factor
  const kind = texts.types[type]
  return (
    <li>
      <a href={visit.link(`${PAGE}?id=${id}`)}>
        <span class="name">{name}</span>
        {kind !== name && <span class="value">{kind}</span>}
      </a>
      <p class="hint">
        {lastUsedAt === null
          ? texts.added(timeText(createdAt, visit.locale))
          : texts.lastUsed(timeText(lastUsedAt, visit.locale))}{' '}
        {isSynced && <span class="badge">{texts.synced}</span>}
      </p>
      {!isUsable && <p class="error">{texts.unusable}</p>}
    </li>
  )
}

function RecoveryCodes({ visit, hidden, left }: { visit: Visit; hidden: Record<string, string>; left: number }) {
  const texts = textsOf(visit).recovery
  return (
    <section>
      <h2>{texts.title}</h2>
      <p>
        {texts.left(left)} {left <= 2 && texts.few}
      </p>
      <Form
        action={visit.link(PAGE)}
        hidden={{ ...hidden, do: 'codes' }}
        button={texts.renew}
        look="plain"
        below={<p class="hint">{texts.renewHint}</p>}
      />
    </section>
  )
}

/** The page of one factor, to rename or to remove it. */
export function factorView(visit: Visit, account: AccountShown, shown: SecurityShown & { factor: Factor }): View {
  const { factor: texts, stepUp, security } = textsOf(visit)
  const { problem, hidden, hasPassword } = account
  const { factor, factors } = shown
  const { remove } = texts
  const isLast = factor.isUsable && !factors.some(({ id, isUsable }) => isUsable && id !== factor.id)
  const what = visit.input.do
  const nameError = what === 'rename' && problem !== undefined && problem.errors.length > 0
  const isMissing = what === 'remove' && problem !== undefined && problem.errors.length > 0
  const passwordError =
    problem?.code === 'invalid_password' ? stepUp.wrongPassword : isMissing ? stepUp.missingPassword : undefined
  const isAtField = nameError || passwordError !== undefined
  return pageBelow(visit, {
    title: factor.name,
    back: { href: PAGE, label: security.title },
    problem: isAtField ? undefined : removalNotice(visit, problem),
    children: (
      <>
        <Form action={visit.link(PAGE)} hidden={{ ...hidden, do: 'rename', id: factor.id }} button={texts.rename}>
          <Field
            name="name"
            label={texts.name}
            autocomplete="off"
            value={nameError ? visit.input.name : factor.name}
            error={nameError ? texts.invalidName : undefined}
            focus={nameError}
          />
        </Form>
        <section class="other">
          <h2>{remove.title}</h2>
          {account.freshness !== 'fresh' ? (
            <ProveAgain visit={visit} shown={account} />
          ) : (
            <>
              <p>{isLast ? remove.last : remove.text}</p>
              <Form
                action={visit.link(PAGE)}
                hidden={{ ...hidden, do: 'remove', id: factor.id }}
                button={remove.button}
                look="danger"
              >
                {hasPassword && (
                  <Field
                    name="password"
                    label={remove.password}
                    autocomplete="current-password"
                    error={passwordError}
                    focus={passwordError !== undefined}
                  />
                )}
              </Form>
            </>
          )}
        </section>
      </>
    ),
  })
}

function removalNotice(visit: Visit, problem: FormProblem | undefined): Saying | undefined {
  const { factor } = textsOf(visit)
  const title = factor.remove.title
  if (problem?.code === 'factor_required') return { title, text: factor.required }
  if (problem?.code === 'last_login_method') return { title, text: factor.lastWay }
  return problem?.notice
}
