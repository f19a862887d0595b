import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { publicKeyAlgorithms } from '../../src/features/signing-keys/jwk.ts'
import { appPerSuite } from '../support/hooks.ts'
import { hasPythonModules, python } from '../support/programs.ts'
import { type Served, serve } from '../support/socket.ts'
import { headerOf, logIn } from './support.ts'

setDefaultTimeout(30_000)

/** The check of a Python service, as in PyJWT's documentation. */
const pyJwt = `
import json, sys
import jwt
given = json.load(sys.stdin)
client = jwt.PyJWKClient(given["jwks"])
# The clock of the test stands still, so only Keyward can check the times.
options = {"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "sub"]}
def verdict(token):
    try:
        key = client.get_signing_key_from_jwt(token)
        return jwt.decode(token, key.key, algorithms=[given["alg"]], audience=given["issuer"], issuer=given["issuer"], options=options)["sub"]
    except (jwt.InvalidTokenError, jwt.PyJWKClientError) as error:
        return type(error).__name__
print(json.dumps([verdict(token) for token in given["tokens"]]))
`

describe.each([...publicKeyAlgorithms])('tokens signed with %s, verified over the network', (alg) => {
  let served: Served
  const app = appPerSuite({ env: { JWT_ALG: alg } }, () => served.stop())
  let jwks: string
  const tokens: string[] = []
  let forged: string

  beforeAll(async () => {
    served = serve(app)
    jwks = `${served.url}/.well-known/jwks.json`
    const { grant } = await app.signUp()
    await app.keys.rotate({ early: true })
    tokens.push(grant.access_token, await logIn(app))
    expect(new Set(tokens.map((token) => headerOf(token).kid)).size).toBe(2)
    const [header, , signature] = tokens[0]!.split('.')
    const claims = JSON.parse(Buffer.from(tokens[0]!.split('.')[1]!, 'base64url').toString())
    forged = `${header}.${Buffer.from(JSON.stringify({ ...claims, sub: '2' })).toString('base64url')}.${signature}`
  })

  const options = () => ({
    issuer: app.config.PUBLIC_URL,
    audience: app.config.PUBLIC_URL,
    typ: 'at+jwt',
    algorithms: [alg],
    currentDate: new Date(app.clock.now()),
  })

  test('verify with jose, from the address and from a copy', async () => {
    const copy = (await (await fetch(jwks)).json()) as JSONWebKeySet
    for (const keys of [createRemoteJWKSet(new URL(jwks)), createLocalJWKSet(copy)]) {
      for (const token of tokens) expect((await jwtVerify(token, keys, options())).payload.sub).toBe('1')
      await expect(jwtVerify(forged, keys, options())).rejects.toThrow('signature verification failed')
    }
  })

  test.skipIf(!hasPythonModules('jwt', 'cryptography'))('verify with PyJWT', async () => {
    const given = { jwks, alg, issuer: app.config.PUBLIC_URL, tokens: [...tokens, forged] }
    expect(await python<string[]>(pyJwt, given)).toEqual(['1', '1', 'InvalidSignatureError'])
  })
})
