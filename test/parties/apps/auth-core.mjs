import { Auth } from '@auth/core'
import { serve } from './serve.mjs'

const { BASE_URL, ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env

/** The refresh that the documentation of Auth.js has applications do in this callback. */
async function refreshed(token) {
  const answer = await fetch(`${ISSUER}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token.refresh }),
  })
  const tokens = await answer.json()
  return { ...token, access: tokens.access_token, refresh: tokens.refresh_token, refreshes: (token.refreshes ?? 0) + 1 }
}

const config = {
  basePath: '/auth',
  trustHost: true,
  secret: 'a secret of the application, for its cookie',
  providers: [
    {
      id: 'keyward',
      name: 'Keyward',
      type: 'oidc',
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      checks: ['pkce', 'state', 'nonce'],
      authorization: { params: { scope: 'openid profile email offline_access' } },
      idToken: false,
    },
  ],
  callbacks: {
    jwt: ({ token, account }) =>
      account
        ? { ...token, access: account.access_token, refresh: account.refresh_token, idToken: account.id_token }
        : refreshed(token),
    session: ({ session, token }) => ({
      ...session,
      sub: token.sub,
      refreshes: token.refreshes ?? 0,
      idToken: token.idToken,
    }),
  },
}

serve(async (incoming, outgoing) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined
  const url = new URL(incoming.url, BASE_URL)
  const answer = url.pathname.startsWith('/auth/')
    ? await Auth(new Request(url, { method: incoming.method, headers: incoming.headers, body }), config)
    : new Response('home')
  outgoing.writeHead(answer.status, [...answer.headers].flat())
  outgoing.end(Buffer.from(await answer.arrayBuffer()))
})
