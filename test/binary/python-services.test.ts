import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPythonModules, python } from '../support/programs.ts'

setDefaultTimeout(60_000)

const JWT_SECRET = '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5'
const password = 'secure_password'

type Verdict = { payload: Record<string, unknown> } | { refused: string }

/** The check of a token in a FastAPI service (FastAPI's tutorial, "OAuth2 with Password, Bearer with JWT tokens"). */
const verifiers = {
  'python3-jose': `
import json, sys
from jose import JWTError, jwt
given = json.load(sys.stdin)
def verdict(token):
    try:
        payload = jwt.decode(token, given["key"], algorithms=[given["alg"]])
        username = payload.get("sub")
        if username is None: return {"refused": "no sub"}
        return {"payload": payload}
    except JWTError as error:
        return {"refused": type(error).__name__}
print(json.dumps([verdict(token) for token in given["tokens"]]))
`,
  'python3-jwt': `
import json, sys
import jwt
given = json.load(sys.stdin)
def verdict(token):
    try:
        return {"payload": jwt.decode(token, given["key"], algorithms=[given["alg"]])}
    except jwt.InvalidTokenError as error:
        return {"refused": type(error).__name__}
print(json.dumps([verdict(token) for token in given["tokens"]]))
`,
}

const registerAndLogIn = async (keyward: RunningBinary, username: string): Promise<string> => {
  const json = { email: `${username}@example.com`, username, password }
  expect((await keyward.request('POST', '/register', { json })).status).toBe(201)
  const grant = await keyward.request('POST', '/token', { form: { username, password } })
  return ((await grant.json()) as { access_token: string }).access_token
}

/** The token with one character changed in one part, so that it decodes to other bytes. */
function altered(token: string, part: 0 | 1 | 2): string {
  const parts = token.split('.')
  const text = parts[part]!
  parts[part] = `${text[0] === 'a' ? 'b' : 'a'}${text.slice(1)}`
  return parts.join('.')
}

describe.skipIf(!hasPythonModules('jose', 'jwt'))('JWT_COMPAT=fastapi', () => {
  let keyward: RunningBinary
  let token = ''

  beforeAll(async () => {
    keyward = await startBinary({ env: { JWT_ALG: 'HS256', JWT_SECRET, JWT_COMPAT: 'fastapi' } })
    await registerAndLogIn(keyward, 'someone-else')
    token = await registerAndLogIn(keyward, 'Ada.Lovelace')
  }, 60_000)

  afterAll(() => keyward?.stop())

  test.each(Object.entries(verifiers))('a service with %s reads the username from sub', async (_, program) => {
    const tokens = [token, altered(token, 1), altered(token, 2), `${token.slice(0, token.lastIndexOf('.'))}.`]
    const key = JWT_SECRET
    const [good, ...bad] = await python<Verdict[]>(program, { key, alg: 'HS256', tokens })
    expect(good).toMatchObject({ payload: { sub: 'Ada.Lovelace', uid: 2 } })
    expect(bad.map((verdict) => 'refused' in verdict)).toEqual([true, true, true])
    const [other] = await python<Verdict[]>(program, { key: `${key.slice(1)}0`, alg: 'HS256', tokens: [token] })
    expect(other).toHaveProperty('refused')
  })

  test('Keyward accepts its own token, and refuses a token without a session that such a service signed', async () => {
    const me = await keyward.request('GET', '/users/me', { token })
    expect(await me.json()).toMatchObject({ id: 2, username: 'Ada.Lovelace' })
    const forged = await python<string>(
      `
import json, sys, time
from jose import jwt
given = json.load(sys.stdin)
print(json.dumps(jwt.encode({"sub": "Ada.Lovelace", "exp": int(time.time()) + 600}, given["key"], algorithm="HS256")))
`,
      { key: JWT_SECRET },
    )
    expect((await keyward.request('GET', '/users/me', { token: forged })).status).toBe(401)
  })
})

/** The check of a service with the public keys, as PyJWT's `PyJWKClient` does it, without the download. */
const withKeySet = `
import json, sys
import jwt
given = json.load(sys.stdin)
keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(given["jwks"]).keys}
def verdict(token):
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return {"payload": jwt.decode(token, key, algorithms=[given["alg"]], audience=given["audience"], issuer=given["issuer"])}
    except jwt.InvalidTokenError as error:
        return {"refused": type(error).__name__}
print(json.dumps([verdict(token) for token in given["tokens"]]))
`

describe.skipIf(!hasPythonModules('jwt', 'cryptography'))('a token signed with a private key', () => {
  test.each(['ES256', 'EdDSA', 'RS256'])('%s is verified by python3-jwt with only the public keys', async (alg) => {
    const keyward = await startBinary({ env: { JWT_ALG: alg } })
    try {
      const token = await registerAndLogIn(keyward, 'ada')
      const jwks = await (await keyward.request('GET', '/.well-known/jwks.json')).json()
      const issuer = 'http://localhost:8000'
      const tokens = [token, altered(token, 1), altered(token, 2)]
      const ask = (given: Record<string, unknown>) =>
        python<Verdict[]>(withKeySet, { jwks, alg, audience: issuer, issuer, tokens, ...given })
      expect(await ask({})).toMatchObject([
        { payload: { sub: '1', username: 'ada', iss: issuer, aud: issuer, client_id: 'keyward', roles: ['user'] } },
        { refused: expect.any(String) },
        { refused: 'InvalidSignatureError' },
      ])
      const [elsewhere] = await ask({ audience: 'https://other.example.com', tokens: [token] })
      expect(elsewhere).toEqual({ refused: 'InvalidAudienceError' })
    } finally {
      await keyward.stop()
    }
  })
})
