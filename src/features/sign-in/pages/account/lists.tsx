import { Form } from '../../../../pages/form.tsx'
import type { View, Visit } from '../../../../pages/pages.tsx'
import type { SessionSummary } from '../../../sessions/sessions.ts'
import type { SocialProvider } from '../providers.tsx'
import { type AccountShown, noticeOf, ProveAgain, pageBelow, textsOf, timeText } from './parts.tsx'

/** An application that may use the account. */
export interface ConnectedApp {
  clientId: string
  name: string
  grantedAt: number
}

/** An account at another service with which its owner logs in here. */
export interface LinkedIdentity {
  id: string
  /** The name of the other service as people know it. */
  label: string
  /** What tells several accounts apart: the address there; null when it is not known. */
  email: string | null
  lastUsedAt: number | null
}

interface Row {
  id: string
  name: string
  /** Stands beside the name. */
  badge?: string
  details: readonly string[]
  /** The text of the button; undefined for no button. */
  button?: string
}

interface RowsProps {
  visit: Visit
  action: string
  hidden: Record<string, string>
  rows: readonly Row[]
}

/** A list of things, each with a button that ends it. */
const Rows = ({ visit, action, hidden, rows }: RowsProps) => (
  <ul class="list">
    {rows.map(({ id, name, badge, details, button }) => (
      <li key={id}>
        <p class="name">
          {name} {badge !== undefined && <span class="badge">{badge}</span>}
        </p>
        {details.map((detail) => (
          <p class="hint" key={detail}>
            {detail}
          </p>
        ))}
        {button !== undefined && (
          <Form
            action={visit.link(action)}
            hidden={{ ...hidden, id }}
            button={button}
            buttonLabel={`${button}: ${name}`}
            look="plain"
          />
        )}
      </li>
    ))}
  </ul>
)

/** The sessions of the account. */
export function sessionsView(visit: Visit, shown: AccountShown, sessions: readonly SessionSummary[]): View {
  const texts = textsOf(visit).sessions
  const { browser, hidden, problem } = shown
  const rows = sessions.map(({ id, deviceName, ip, lastUsedAt }) => {
    const name = deviceName || texts.unknownDevice
    const details = [texts.lastUsed(timeText(lastUsedAt, visit.locale)), ...(ip === null ? [] : [ip])]
    if (id === browser.id) return { id, name, badge: texts.current, details }
    return { id, name, details, button: texts.end }
  })
  const isGone = problem?.code === 'session_not_found'
  return pageBelow(visit, {
    title: texts.title,
    problem: noticeOf(problem, isGone),
    done: isGone ? texts.gone : 'ended' in visit.input ? texts.ended : undefined,
    children: (
      <>
        <p>{texts.intro}</p>
        <Rows visit={visit} action="/account/sessions" hidden={hidden} rows={rows} />
        {rows.length > 1 && (
          <Form action={visit.link('/account/sessions')} hidden={{ ...hidden, all: 'yes' }} button={texts.endOthers} />
        )}
      </>
    ),
  })
}

/** The applications that may use the account. */
export function appsView(visit: Visit, { hidden, problem }: AccountShown, apps: readonly ConnectedApp[]): View {
  const texts = textsOf(visit).apps
  const rows = apps.map(({ clientId, name, grantedAt }) => ({
    id: clientId,
    name,
    details: [texts.granted(timeText(grantedAt, visit.locale))],
    button: texts.withdraw,
  }))
  const isGone = problem?.code === 'client_not_found'
  return pageBelow(visit, {
    title: texts.title,
    problem: noticeOf(problem, isGone),
    done: isGone ? texts.gone : 'ended' in visit.input ? texts.withdrawn : undefined,
    children: (
      <>
        <p>{rows.length > 0 ? texts.intro : texts.none}</p>
        {rows.length > 0 && <Rows visit={visit} action="/account/apps" hidden={hidden} rows={rows} />}
      </>
    ),
  })
}

/** The accounts at other services, and the services that can be linked. */
export function identitiesView(
  visit: Visit,
  shown: AccountShown,
  { identities, providers }: { identities: readonly LinkedIdentity[]; providers: readonly SocialProvider[] },
): View {
  const texts = textsOf(visit).identities
  const { hidden, problem } = shown
  const rows = identities.map(({ id, label, email, lastUsedAt }) => ({
    id,
    name: label,
    details: [
      ...(email === null ? [] : [email]),
      ...(lastUsedAt === null ? [] : [texts.lastUsed(timeText(lastUsedAt, visit.locale))]),
    ],
    button: texts.unlink,
  }))
  const isLast = problem?.code === 'last_login_method'
  const isGone = problem?.code === 'identity_not_found'
  return pageBelow(visit, {
    title: texts.title,
    problem: isLast ? { title: texts.title, text: texts.last } : noticeOf(problem, isGone),
    done: isGone ? texts.gone : 'ended' in visit.input ? texts.unlinked : undefined,
    children:
      shown.freshness === 'fresh' ? (
        <>
          <p>{rows.length > 0 ? texts.intro : texts.none}</p>
          {rows.length > 0 && <Rows visit={visit} action="/account/identities" hidden={hidden} rows={rows} />}
          {providers.length > 0 && (
            <ul class="links">
              {providers.map(({ name, label }) => (
                <li key={name}>
                  <a href={visit.link(`/social/${name}?link=${hidden.form}`)}>{texts.link(label)}</a>
                </li>
              ))}
            </ul>
          )}
        </>
      ) : (
        <ProveAgain visit={visit} shown={shown} />
      ),
  })
}
