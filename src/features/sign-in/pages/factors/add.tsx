import { Form } from '../../../../pages/form.tsx'
import type { Visit } from '../../../../pages/pages.tsx'
import { textsOf, WebauthnForm, WithoutPasskeys } from './parts.tsx'

export interface AddFactorProps {
  visit: Visit
  /** The page that takes the forms. Below it is `/options`. */
  page: string
  hidden: Record<string, string>
  mayUsePasskeys: boolean
}

/** The buttons that add a passkey, an authenticator app or a security key. */
export function AddFactor({ visit, page, hidden, mayUsePasskeys }: AddFactorProps) {
  const texts = textsOf(visit).security.add
  const kinds = [
    ['passkey', texts.passkey, texts.passkeyHint],
    ['security_key', texts.key, texts.keyHint],
  ] as const
  return (
    <>
      <ul class="list">
        <li>
          <p class="hint">{texts.totpHint}</p>
          <Form action={visit.link(page)} hidden={{ ...hidden, do: 'totp' }} button={texts.totp} look="plain" />
        </li>
        {mayUsePasskeys &&
          kinds.map(([kind, button, hint]) => (
            <li key={kind}>
              <WebauthnForm
                visit={visit}
                action={page}
                options={`${page}/options`}
                use="create"
                hidden={{ ...hidden, do: 'register', kind, challenge_id: '' }}
                button={button}
                look="plain"
              >
                <p class="hint">{hint}</p>
              </WebauthnForm>
            </li>
          ))}
      </ul>
      {mayUsePasskeys && <WithoutPasskeys visit={visit} />}
    </>
  )
}
