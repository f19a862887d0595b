import { Field } from '../../../pages/field.tsx'
import { Form } from '../../../pages/form.tsx'
import type { FormProblem, View, Visit } from '../../../pages/pages.tsx'
import { doneView } from '../../../pages/parts.tsx'
import { inWords } from '../../../pages/problem.ts'
import type { WaitingDevice } from '../openid.ts'
import { Scopes } from './consent.tsx'
import { openIdTexts } from './texts/texts.ts'

/** The page for the code that a device shows (RFC 8628 section 3.3). */
export function deviceView(visit: Visit, { form, problem }: { form: string; problem?: FormProblem | undefined }): View {
  const texts = openIdTexts[visit.locale].device
  const isWrong = problem?.code === 'invalid_or_expired'
  return {
    title: texts.title,
    content: (
      <>
        <p>{texts.intro}</p>
        {problem?.notice && !isWrong && <p class="notice problem">{problem.notice.text}</p>}
        <Form action={visit.link('/device')} hidden={{ form }} button={texts.next}>
          <Field
            name="user_code"
            label={texts.code}
            autocomplete="one-time-code"
            value={visit.input.user_code}
            error={isWrong ? texts.wrong : undefined}
            focus
          />
        </Form>
      </>
    ),
  }
}

export interface WaitingShown {
  device: WaitingDevice
  userCode: string
  username: string
  form: string
  now: number
}

/** The page that asks whether the device may be signed in. It warns: nobody else may have sent the code. */
export function waitingDeviceView(visit: Visit, { device, userCode, username, form, now }: WaitingShown): View {
  const all = openIdTexts[visit.locale]
  const texts = all.device
  const ago = inWords(Math.min(0, (device.createdAt - now) / 1000), visit.locale)
  const hidden = { form, user_code: userCode }
  return {
    title: texts.ask(device.client.name),
    content: (
      <>
        <p>{all.consent.account(username)}</p>
        <p class="notice warning">{texts.warning}</p>
        <p class="hint">{texts.asked(device.ip, ago)}</p>
        <p>{all.consent.intro(device.client.name)}</p>
        <Scopes scope={device.scope} locale={visit.locale} />
        <Form action={visit.link('/device')} hidden={{ ...hidden, decision: 'allow' }} button={all.consent.allow} />
        <Form
          action={visit.link('/device')}
          hidden={{ ...hidden, decision: 'deny' }}
          button={all.consent.deny}
          look="plain"
        />
      </>
    ),
  }
}

export const deviceDoneView = (visit: Visit, how: 'allowed' | 'denied'): View =>
  doneView(visit, openIdTexts[visit.locale].device[how])
