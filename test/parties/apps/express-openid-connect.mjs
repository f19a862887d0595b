import express from 'express'
import oidc from 'express-openid-connect'
import session from 'express-session'
import { serve } from './serve.mjs'

const { BASE_URL, ISSUER, CLIENT_ID, CLIENT_SECRET, PARAMETERS, BACKCHANNEL } = process.env
const app = express()
const store = BACKCHANNEL && new session.MemoryStore()
app.use(
  oidc.auth({
    issuerBaseURL: ISSUER,
    baseURL: BASE_URL,
    clientID: CLIENT_ID,
    ...(CLIENT_SECRET && { clientSecret: CLIENT_SECRET }),
    secret: 'a secret of the application, for its cookie',
    authRequired: false,
    idpLogout: true,
    ...(PARAMETERS && { authorizationParams: JSON.parse(PARAMETERS) }),
    ...(store && { session: { store }, backchannelLogout: { store } }),
  }),
)
app.get('/favicon.ico', (_request, response) => response.status(204).end())
app.get('/', (request, response) => {
  response.json({
    user: request.oidc.user ?? null,
    scope: request.oidc.accessToken && Object.keys(request.oidc.accessToken),
  })
})
app.get('/refreshed', async (request, response) => {
  const before = request.oidc.accessToken.access_token
  const { access_token: after } = await request.oidc.accessToken.refresh()
  response.json({ isNew: before !== after, claims: await request.oidc.fetchUserInfo() })
})
app.use((error, _request, response, _next) => {
  response
    .status(error.statusCode ?? 500)
    .json({ error: error.error, description: error.error_description, message: error.message })
})
serve(app)
