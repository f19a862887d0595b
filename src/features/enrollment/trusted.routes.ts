import { Elysia, t } from 'elysia'
import { sessionOf } from '../../http/caller.ts'
import type { HttpKit } from '../../http/kit.ts'
import { answer, problems } from '../../http/schemas.ts'
import type { Enrollment } from './enrollment.ts'
import { TrustedDevicePath, TrustedDeviceView, toTrustedDeviceView } from './trusted.schemas.ts'

/** Routes with which people see the devices that they trust, and end the trust. */
export const trustedDeviceRoutes = (enrollment: Enrollment, kit: HttpKit) =>
  new Elysia({ name: 'keyward.trusted-devices' })
    .use(kit.plugin)
    .get(
      '/users/me/trusted-devices',
      async ({ request }) => (await enrollment.listTrusted(sessionOf(request))).map(toTrustedDeviceView),
      {
        access: 'user',
        response: {
          200: answer('Your trusted devices', t.Array(TrustedDeviceView)),
          ...problems('not_authenticated', 'invalid_token'),
        },
        detail: {
          operationId: 'listTrustedDevices',
          summary: 'List your trusted devices',
          description: 'The devices on which a login with the password does not ask for the second factor.',
          tags: ['factors'],
        },
      },
    )
    .delete(
      '/users/me/trusted-devices/:id',
      async ({ request, params, set }) => {
        await enrollment.removeTrusted(sessionOf(request), { id: params.id, ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        access: 'user',
        limit: 'account',
        params: TrustedDevicePath,
        response: {
          204: answer('The next login on it asks for the second factor', t.Void()),
          ...problems('not_authenticated', 'invalid_token', 'trusted_device_not_found', 'rate_limited'),
        },
        detail: {
          operationId: 'removeTrustedDevice',
          summary: 'Trust a device no longer',
          description: 'Its sessions go on.',
          tags: ['factors'],
        },
      },
    )
    .delete(
      '/users/me/trusted-devices',
      async ({ request, set }) => {
        await enrollment.removeAllTrusted(sessionOf(request), { ip: kit.clientIp(request) })
        set.status = 204
      },
      {
        access: 'user',
        limit: 'account',
        response: {
          204: answer('You trust no device any more', t.Void()),
          ...problems('not_authenticated', 'invalid_token', 'rate_limited'),
        },
        detail: {
          operationId: 'removeTrustedDevices',
          summary: 'Trust no device any more',
          description: 'Every next login asks for the second factor. Sessions go on.',
          tags: ['factors'],
        },
      },
    )
