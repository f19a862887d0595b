import { Field, HiddenUsername } from '../../../../pages/field.tsx'
import { Form } from '../../../../pages/form.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import { NewPassword } from '../../../../pages/parts.tsx'
import { type AccountShown, ConfirmField, mustProveAgain, noticeOf, ProveAgain, pageBelow, textsOf } from './parts.tsx'

/**
 * The form for another address, which first gets a mail; and for an address that is not proved, the mail once more.
 * @param sendsMail false when this service sends no mail
 */
export function addressView(visit: Visit, shown: AccountShown, sendsMail: boolean): View {
  const texts = textsOf(visit).address
  const { browser, hidden, problem } = shown
  if ('sent' in visit.input) return pageBelow(visit, { title: texts.sent.title, children: <p>{texts.sent.text}</p> })
  const refused = problem?.errors.find(({ field }) => field === 'email')
  const error = refused && (refused.reason === 'same' ? texts.same : texts.invalid)
  return pageBelow(visit, {
    title: texts.title,
    problem: noticeOf(problem, error !== undefined),
    done: 'resent' in visit.input ? texts.unconfirmed.sent : undefined,
    children: (
      <>
        <p>
          {texts.present}: <strong>{browser.user.email}</strong>
        </p>
        {sendsMail && browser.user.emailVerifiedAt === null && (
          <>
            <p>{texts.unconfirmed.text}</p>
            <Form
              action={visit.link('/account/address')}
              hidden={{ ...hidden, resend: 'yes' }}
              button={texts.unconfirmed.button}
              look="plain"
            />
          </>
        )}
        {mustProveAgain(shown) ? (
          <ProveAgain visit={visit} shown={shown} />
        ) : (
          <>
            <p>{texts.effect}</p>
            <Form action={visit.link('/account/address')} hidden={hidden} button={texts.button}>
              <Field
                name="email"
                label={texts.next}
                autocomplete="email"
                value={visit.input.email}
                error={error}
                focus={error !== undefined}
              />
              <ConfirmField visit={visit} shown={shown} focus={error === undefined} />
            </Form>
          </>
        )}
      </>
    ),
  })
}

/** The form for another password. */
export function passwordView(visit: Visit, account: AccountShown, minLength: number): View {
  const { browser, hidden, hasPassword, freshness, problem } = account
  const texts = textsOf(visit).password
  const isMissing = problem?.errors.some(({ field }) => field === 'current_password')
  const error = problem?.code === 'invalid_password' ? texts.wrong : isMissing ? texts.missing : undefined
  return pageBelow(visit, {
    title: texts.title,
    problem: noticeOf(problem, error !== undefined),
    done: 'saved' in visit.input ? texts.changed : undefined,
    children:
      freshness === 'factor' ? (
        <ProveAgain visit={visit} shown={account} />
      ) : hasPassword ? (
        <>
          <p>{texts.effect}</p>
          <Form action={visit.link('/account/password')} hidden={hidden} button={texts.button}>
            <HiddenUsername username={browser.user.username} />
            <Field
              name="current_password"
              label={texts.current}
              autocomplete="current-password"
              error={error}
              focus={error !== undefined}
            />
            <NewPassword
              visit={visit}
              name="new_password"
              minLength={minLength}
              problem={problem}
              focus={error === undefined}
            />
          </Form>
        </>
      ) : (
        <>
          <p>{texts.none.text}</p>
          <a class="button" href={visit.link('/forgot')}>
            {texts.none.link}
          </a>
        </>
      ),
  })
}
