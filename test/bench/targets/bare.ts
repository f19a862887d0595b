/* The minimal server in Bun: the floor that `GET /users/me` is compared with. */

const user = {
  id: 1,
  email: 'user0001@example.com',
  username: 'user0001',
  name: null,
  locale: null,
  is_active: true,
  email_verified: false,
  roles: ['user'],
  created_at: '2026-01-01T00:00:00.000Z',
}

Bun.serve({ hostname: '127.0.0.1', port: Number(process.env.PORT), fetch: () => Response.json(user) })
