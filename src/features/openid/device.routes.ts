import { Elysia } from 'elysia'
import { KeywardError } from '../../errors.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, bodyProblems } from '../../http/schemas.ts'
import { sentClient } from '../../http/sent-client.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Next } from '../../pages/next.ts'
import type { FormProblem, Pages, View, Visit } from '../../pages/pages.tsx'
import { shown, submitted, toNext } from '../../pages/routes.ts'
import { formCookieOf, toSignIn } from '../../pages/to-sign-in.ts'
import type { Clients } from '../clients/clients.ts'
import type { SignIn } from '../sign-in/sign-in.ts'
import type { OpenId } from './openid.ts'
import { deviceDoneView, deviceView, waitingDeviceView } from './pages/device.tsx'
import { staleView } from './pages/refused.tsx'
import { DeviceAnswer, DeviceForm, toDeviceAnswer } from './schemas.ts'

export interface DeviceRoutesNeeds {
  /** Undefined when `PAGES` is `off`; then there are no routes. */
  pages: Pages | undefined
  openid: OpenId
  clients: Clients
  signIn: SignIn
  clock: Clock
}

/** Devices without a browser: the device authorization endpoint, and the page for their codes (RFC 8628). */
export function deviceRoutes({ pages, openid, clients, signIn, clock }: DeviceRoutesNeeds, kit: HttpKit) {
  const routes = new Elysia({ name: 'keyward.device' }).use(kit.plugin)
  if (pages === undefined || !pages.mayUseCookies || !openid.isProvider) return routes
  const { issuer } = openid.metadata

  /** Shows a page to a browser that is signed in; sends another to the page to sign in, and then back. */
  async function signedIn(visit: Visit, view: (form: string) => Promise<View> | View) {
    const { value, change } = formCookieOf(signIn, visit)
    if (!(await visit.browser())) {
      const query = new URLSearchParams(visit.input.user_code ? { user_code: visit.input.user_code } : {}).toString()
      return toSignIn(signIn, visit, { to: 'device', query, seen: clock.now() })
    }
    return { ...(await view(signIn.formToken(value))), cookies: [change] }
  }

  async function decide(visit: Visit): Promise<View | Next> {
    const { user_code: userCode = '', decision, form = '' } = visit.input
    if (!signIn.isFormToken(form, visit.cookie('form'))) return staleView(visit)
    const browser = await visit.browser()
    if (!browser) return staleView(visit)
    const { client: network, ip } = kit.requester(visit.request)
    if (decision === undefined) {
      const device = await openid.findDevice(userCode, { browser, ip, network })
      const { client, missingLevel: level } = device
      if (level !== undefined) {
        const query = new URLSearchParams({ user_code: userCode }).toString()
        const asked = { to: 'device', query, seen: clock.now(), level, clientName: client.name } as const
        return toSignIn(signIn, visit, asked, 'sign-in/step-up')
      }
      return waitingDeviceView(visit, { device, userCode, username: browser.user.username, form, now: clock.now() })
    }
    const isAllowed = decision === 'allow'
    await openid.decideDevice(userCode, { browser, isAllowed, ip })
    return deviceDoneView(visit, isAllowed ? 'allowed' : 'denied')
  }

  return routes
    .post(
      '/device_authorization',
      async ({ request, body }) => {
        const sent = sentClient(request, body)
        if (!sent) throw new KeywardError('invalid_client')
        const { client: network, ip } = kit.requester(request)
        const client = await clients.authenticate({ ...sent, client: network, ip })
        const asked = { scope: body.scope || undefined, resource: body.resource || undefined, ip, network }
        return toDeviceAnswer(await openid.startDevice(client, asked), issuer)
      },
      {
        open: true,
        limit: ['device', 'client'],
        oauth: true,
        parse: 'strictForm',
        body: DeviceForm,
        response: {
          200: answer('The codes of the device', DeviceAnswer),
          ...bodyProblems('invalid_client', 'unauthorized_client', 'invalid_scope', 'invalid_target', 'rate_limited'),
        },
        detail: {
          operationId: 'startDevice',
          summary: 'Begin the sign-in of a device',
          description:
            'For a device without a browser, such as a television (RFC 8628). It shows `user_code` and `verification_uri`, and polls `POST /token` with `device_code` every `interval` seconds.',
          tags: ['openid'],
        },
      },
    )
    .get(
      '/device',
      ({ request }) => pages.show(request, (visit) => signedIn(visit, (form) => deviceView(visit, { form }))),
      {
        ...page,
        limit: { none: 'it only shows a form' },
        response: { ...shown(), 303: toNext },
        detail: { summary: 'Sign in on a device', tags: ['pages'] },
      },
    )
    .post(
      '/device',
      ({ request }) =>
        pages.submit(request, {
          act: decide,
          again: async (visit: Visit, problem: FormProblem) =>
            deviceView(visit, { form: visit.input.form ?? '', problem }),
        }),
      {
        ...page,
        limit: 'device',
        parse: 'none',
        response: { ...submitted('invalid_or_expired', 'rate_limited'), ...shown() },
        detail: { summary: 'Allow a device, or not', tags: ['pages'] },
      },
    )
}

const page = { open: true, page: true } as const
