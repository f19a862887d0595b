import express from 'express'
import session from 'express-session'
import passport from 'passport'
import Strategy from 'passport-openidconnect'
import { serve } from './serve.mjs'

const { BASE_URL, ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const settings = {
  issuer: ISSUER,
  authorizationURL: `${ISSUER}/authorize`,
  tokenURL: `${ISSUER}/token`,
  userInfoURL: `${ISSUER}/userinfo`,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: `${BASE_URL}/callback`,
  scope: ['profile', 'email', 'offline_access'],
  skipUserProfile: false,
}
passport.use(
  new Strategy(settings, (_issuer, profile, _context, idToken, accessToken, refreshToken, done) =>
    done(null, { profile: { ...profile, _raw: undefined }, idToken, accessToken, refreshToken }),
  ),
)
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.use(session({ secret: 'a secret of the application', resave: false, saveUninitialized: false }))
app.use(passport.session())
app.get('/login', passport.authenticate('openidconnect'))
app.get('/callback', passport.authenticate('openidconnect', { failureMessage: true }), (_request, response) =>
  response.redirect('/'),
)
app.get('/', (request, response) => response.json({ user: request.user?.profile ?? null }))
// The library does not refresh: an application does it by hand, with the secret in the form.
app.get('/refreshed', async (request, response) => {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: request.user.refreshToken,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
  })
  const answer = await fetch(`${ISSUER}/token`, { method: 'POST', body })
  const tokens = await answer.json()
  response.json({ isNew: tokens.access_token !== request.user.accessToken, scope: tokens.scope })
})
app.get('/logout', (request, response) => {
  const { idToken } = request.user
  const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: `${BASE_URL}/` })
  request.session.destroy(() => response.redirect(`${ISSUER}/end-session?${query}`))
})
app.use((error, _request, response, _next) => response.status(500).json({ error: error.code, message: error.message }))
serve(app)
