import { type Static, t } from 'elysia'
import { rfc3339 } from '../../lib/clock.ts'
import type { TrustedDevice } from '../factors/factors.ts'

export const TrustedDeviceView = t.Object(
  {
    id: t.String(),
    device: t.Union([t.String(), t.Null()], { description: 'Browser and system by the user agent of the login' }),
    ip: t.String({ description: 'The address from which the device was added' }),
    created_at: t.String(),
    expires_at: t.String({ description: 'A login does not move it' }),
  },
  {
    title: 'TrustedDevice',
    description: 'A device on which a login does not ask for the second factor',
    examples: [
      {
        id: 'b0Jc5zLq1fV3tY8wXk2m4A',
        device: 'Firefox on Linux',
        ip: '192.0.2.1',
        created_at: '2026-01-01T00:00:00.000Z',
        expires_at: '2026-01-31T00:00:00.000Z',
      },
    ],
  },
)

export const TrustedDevicePath = t.Object({
  id: t.String({ description: 'The `id` in the list of your trusted devices', examples: ['b0Jc5zLq1fV3tY8wXk2m4A'] }),
})

export const toTrustedDeviceView = (device: TrustedDevice): Static<typeof TrustedDeviceView> => ({
  id: device.id,
  device: device.name || null,
  ip: device.ip,
  created_at: rfc3339(device.createdAt),
  expires_at: rfc3339(device.expiresAt),
})
