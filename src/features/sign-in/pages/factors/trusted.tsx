import { Form } from '../../../../pages/form.tsx'
import type { Visit } from '../../../../pages/pages.tsx'
import type { TrustedDevice } from '../../../factors/factors.ts'
import { textsOf as accountTextsOf, timeText } from '../account/parts.tsx'
import { textsOf } from './parts.tsx'

export interface TrustedDevicesProps {
  visit: Visit
  /** The page that takes the forms. */
  page: string
  hidden: Record<string, string>
  devices: readonly TrustedDevice[]
}

/** The devices that a person trusts, each with a button that ends it. Nothing without one. */
export function TrustedDevices({ visit, page, hidden, devices }: TrustedDevicesProps) {
  const texts = textsOf(visit).trusted
  const { unknownDevice } = accountTextsOf(visit).sessions
  if (devices.length === 0) return null
  return (
    <section>
      <h2>{texts.title}</h2>
      <p>{texts.text}</p>
      <ul class="list">
        {devices.map(({ id, name, ip, expiresAt }) => (
          <li key={id}>
            <p class="name">{name || unknownDevice}</p>
            <p class="hint">{texts.until(timeText(expiresAt, visit.locale))}</p>
            <p class="hint">{ip}</p>
            <Form
              action={visit.link(page)}
              hidden={{ ...hidden, do: 'untrust', device: id }}
              button={texts.end}
              buttonLabel={`${texts.end}: ${name || unknownDevice}`}
              look="plain"
            />
          </li>
        ))}
      </ul>
      {devices.length > 1 && (
        <Form action={visit.link(page)} hidden={{ ...hidden, do: 'untrust-all' }} button={texts.endAll} look="plain" />
      )}
    </section>
  )
}
