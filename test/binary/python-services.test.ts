import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createPublicKey } from 'node:crypto'
import { type RunningBinary, startBinary } from '../support/binary.ts'
import { hasPythonModules, python } from '../support/programs.ts'
import { scratchFolder } from '../support/scratch.ts'

setDefaultTimeout(60_000)

const JWT_SECRET = '5c1e0a7f4d92b86e3301f7ca94d8526be8f17d03c65a94f2b17e80d36a29c4f5'
const password = 'secure_password'

type Verdict = { payload: Record<string, unknown> } | { refused: string }

/** What a FastAPI service does with a token (FastAPI's tutorial, "OAuth2 with Password, Bearer with JWT tokens"). */
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
options = {"audience": given["audience"], "issuer": given["issuer"]} if "audience" in given else {}
def verdict(token):
    try:
        return {"payload": jwt.decode(token, given["key"], algorithms=[given["alg"]], **options)}
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

/** The token with one character of its part changed to another that decodes to other bytes. */
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

  test('Keyward takes its own token, and none that such a service signed itself without a session', async () => {
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

describe.skipIf(!hasPythonModules('jose', 'jwt', 'cryptography'))('a token signed with a private key', () => {
  test.each(['ES256', 'EdDSA', 'RS256'])('%s is verified by python3-jwt with the public key alone', async (alg) => {
    const cwd = scratchFolder('signed')
    const keyward = await startBinary({ cwd, env: { JWT_ALG: alg } })
    try {
      const token = await registerAndLogIn(keyward, 'ada')
      const key = publicKey(`${cwd}/keyward.db`, token)
      const issuer = 'http://localhost:8000'
      const tokens = [token, altered(token, 1), altered(token, 2)]
      const ask = (given: Record<string, unknown>) =>
        python<Verdict[]>(verifiers['python3-jwt'], { key, alg, audience: issuer, issuer, tokens, ...given })
      expect(await ask({})).toMatchObject([
        { payload: { sub: '1', username: 'ada', iss: issuer, aud: issuer, client_id: 'keyward', roles: ['user'] } },
        { refused: expect.any(String) },
        { refused: 'InvalidSignatureError' },
      ])
      expect((await ask({ audience: 'https://other.example.com' }))[0]).toEqual({ refused: 'InvalidAudienceError' })
    } finally {
      await keyward.stop()
    }
  })
})

/** In PEM, as it is put into such a service's configuration. */
function publicKey(file: string, token: string): string {
  const { kid } = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }
  using db = new Database(file, { readonly: true })
  const row = db.query<{ jwk: string }, [string]>('SELECT public_jwk AS jwk FROM signing_keys WHERE kid = ?').get(kid)
  return createPublicKey({ key: JSON.parse(row!.jwk), format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString()
}
