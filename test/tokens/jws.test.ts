import { describe, expect, test } from 'bun:test'
import { createPrivateKey, createPublicKey, sign as nodeSign } from 'node:crypto'
import fc from 'fast-check'
import { importJWK, jwtVerify, SignJWT } from 'jose'
import type { HmacKey, SigningKey, VerificationKey } from '../../src/features/signing-keys/jwk.ts'
import { exportPublicJwk, generateSigningKey, hmacKey, verificationKey } from '../../src/features/signing-keys/jwk.ts'
import type { FindKey } from '../../src/features/tokens/jws.ts'
import { sign, signBytes, verify, verifyBytes } from '../../src/features/tokens/jws.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../src/lib/encoding.ts'
import { hmacSha256 } from '../../src/lib/hash.ts'
import { rfc7515A1, rfc7515A2, rfc7515A3, rfc8037A } from './rfc-vectors.ts'

const SECRET = 'a secret of forty bytes for the tests 00'
const keys = {
  ES256: generateSigningKey('ES256'),
  EdDSA: generateSigningKey('EdDSA'),
  RS256: generateSigningKey('RS256'),
  HS256: hmacKey(SECRET),
}
const all = Object.values(keys)
const claims = { iss: 'https://id.example', sub: '42', exp: 2_000_000_000, roles: ['user'], name: 'Ada Lovelace ü 🦄' }
const accessToken = { typ: 'at+jwt' }

/** A key ring that ignores `alg`, so that `verify` must check it. */
const byKid: FindKey = (kid) => {
  const found = all.find((key) => key.kid === kid)
  return found && verificationKey(found)
}
const only =
  (key: SigningKey): FindKey =>
  () =>
    verificationKey(key)

const accepts = (token: string, findKey: FindKey = byKid) => verify(token, findKey, accessToken) !== undefined
const encode = (part: unknown): string => toBase64Url(utf8(typeof part === 'string' ? part : JSON.stringify(part)))

/** Signs two segments unchanged, so that a token is never refused for its signature. */
const signSegments = (key: SigningKey, header: string, payload: string): string =>
  `${header}.${payload}.${toBase64Url(signBytes(key, utf8(`${header}.${payload}`)))}`
const honestHeader = (key: SigningKey) => ({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })
const withHeader = (key: SigningKey, header: unknown) => signSegments(key, encode(header), encode(claims))
const withPayload = (key: SigningKey, payload: unknown) =>
  signSegments(key, encode(honestHeader(key)), payload instanceof Uint8Array ? toBase64Url(payload) : encode(payload))

/** `text` decoded by hand, for signatures in the tests. */
const bytes = (text: string): Uint8Array => fromBase64Url(text) ?? new Uint8Array()

describe('RFC vectors', () => {
  const vectors = [
    { name: 'RFC 7515 A.1 HS256', key: hmacOf(bytes(rfc7515A1.secret)), ...rfc7515A1 },
    { name: 'RFC 7515 A.2 RS256', key: { alg: 'RS256', kid: 'rfc', key: privateKey(rfc7515A2.jwk) }, ...rfc7515A2 },
    { name: 'RFC 7515 A.3 ES256', key: { alg: 'ES256', kid: 'rfc', key: privateKey(rfc7515A3.jwk) }, ...rfc7515A3 },
    { name: 'RFC 8037 A.4 EdDSA', key: { alg: 'EdDSA', kid: 'rfc', key: privateKey(rfc8037A.jwk) }, ...rfc8037A },
  ] as const

  for (const { name, key: signing, signingInput, signature } of vectors) {
    test(`${name}: the signature verifies, and no other does`, () => {
      const verifying = verificationKey(signing)
      expect(verifyBytes(verifying, utf8(signingInput), bytes(signature))).toBe(true)
      expect(verifyBytes(verifying, utf8(`${signingInput}A`), bytes(signature))).toBe(false)
    })
    // ECDSA uses a random nonce, so its signature differs each time.
    if (signing.alg !== 'ES256')
      test(`${name}: signing gives the same bytes`, () => {
        expect(toBase64Url(signBytes(signing, utf8(signingInput)))).toBe(signature)
      })
  }

  test('whole tokens of RFC 7515 are read, those with typ and those without', () => {
    const payload = { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true }
    for (const { key, signingInput, signature } of vectors.slice(0, 3)) {
      const { alg } = key
      const typ = alg === 'HS256' ? 'JWT' : undefined
      const verified = verify(`${signingInput}.${signature}`, only(key), { typ })
      expect(verified).toEqual({ header: { alg, kid: undefined, typ }, payload })
    }
  })

  test('RFC 8037 A.4 is signed text, which is not a token', () => {
    const key: SigningKey = { alg: 'EdDSA', kid: 'rfc', key: privateKey(rfc8037A.jwk) }
    expect(verify(`${rfc8037A.signingInput}.${rfc8037A.signature}`, only(key), { typ: undefined })).toBeUndefined()
  })
})

describe.each(all)('$alg', (key) => {
  test('verify accepts what sign makes', () => {
    expect(verify(sign(key, claims, 'at+jwt'), byKid, accessToken)).toEqual({
      header: honestHeader(key),
      payload: claims,
    })
  })

  test('jose verifies what sign makes', async () => {
    const { payload, protectedHeader } = await jwtVerify(sign(key, claims, 'at+jwt'), await joseKey(key, 'public'), {
      algorithms: [key.alg],
      typ: 'at+jwt',
      issuer: claims.iss,
      currentDate: new Date(0),
    })
    expect(payload).toEqual(claims)
    expect<unknown>(protectedHeader).toEqual(honestHeader(key))
  })

  test('verify accepts what jose signs', async () => {
    const token = await new SignJWT(claims).setProtectedHeader(honestHeader(key)).sign(await joseKey(key, 'private'))
    expect(verify(token, byKid, accessToken)?.payload).toEqual(claims)
  })

  test('no byte can be altered, removed or added', () => {
    const token = sign(key, { sub: '42', exp: 2_000_000_000 }, 'at+jwt')
    const survivors: string[] = []
    const attempt = (altered: string) => altered !== token && accepts(altered) && survivors.push(altered)
    for (let at = 0; at <= token.length; at++) {
      const [before, after] = [token.slice(0, at), token.slice(at + 1)]
      const neighbour = String.fromCharCode(token.charCodeAt(at) ^ 1)
      for (const other of ['', neighbour, 'A', '_', '.', '=', ' ', '\0', 'é']) attempt(before + other + after)
      attempt(`${before}\n${token.slice(at)}`)
      attempt(before)
    }
    expect(survivors).toEqual([])
    expect(accepts(token)).toBe(true)
  })

  test('a signature of another length is refused', () => {
    const [header, payload, signature] = sign(key, claims, 'at+jwt').split('.') as [string, string, string]
    const whole = bytes(signature)
    const lengths = [new Uint8Array(), whole.subarray(1), whole.subarray(0, -1), Buffer.concat([whole, whole])]
    const padded = [Buffer.concat([new Uint8Array(1), whole]), Buffer.concat([whole, new Uint8Array(1)])]
    for (const other of [...lengths, ...padded, new Uint8Array(whole.length), new Uint8Array(512).fill(255)])
      expect(accepts(`${header}.${payload}.${toBase64Url(other)}`)).toBe(false)
  })

  test('another key of the same algorithm does not verify it', () => {
    const other = key.alg === 'HS256' ? hmacKey(`${SECRET}!`) : generateSigningKey(key.alg)
    expect(accepts(sign(key, claims, 'at+jwt'), only(other))).toBe(false)
  })

  test('the key works only with its own algorithm', () => {
    for (const alg of ['ES256', 'EdDSA', 'RS256', 'HS256', 'ES384', 'PS256', 'HS512', 'Ed25519'])
      expect(accepts(withHeader(key, { ...honestHeader(key), alg }))).toBe(alg === key.alg)
  })
})

describe('the algorithm', () => {
  test('E1: none is refused in every spelling, signed or not', () => {
    for (const alg of [
      'none',
      'None',
      'NONE',
      'nOnE',
      ' none',
      'none\0',
      'nоne',
      '',
      'null',
      null,
      0,
      ['none'],
      [],
      {},
    ])
      for (const key of all) {
        const header = encode({ alg, kid: key.kid, typ: 'at+jwt' })
        expect(accepts(`${header}.${encode(claims)}.`, only(key))).toBe(false)
        expect(accepts(signSegments(key, header, encode(claims)), only(key))).toBe(false)
      }
  })

  test('cannot be missing, spelled differently or put in a list', () => {
    const key = keys.ES256
    const { alg: _, ...without } = honestHeader(key)
    expect(accepts(withHeader(key, without), only(key))).toBe(false)
    for (const alg of ['es256', 'ES256 ', ['ES256'], { alg: 'ES256' }])
      expect(accepts(withHeader(key, { ...honestHeader(key), alg }), only(key))).toBe(false)
  })

  test('a public key is never used as the secret of HS256', () => {
    for (const key of [keys.ES256, keys.EdDSA, keys.RS256]) {
      const publicKey = createPublicKey(key.key)
      const spellings = [
        publicKey.export({ format: 'pem', type: 'spki' }),
        publicKey.export({ format: 'pem', type: 'spki' }).trim(),
        publicKey.export({ format: 'der', type: 'spki' }),
        JSON.stringify(publicKey.export({ format: 'jwk' })),
        JSON.stringify(exportPublicJwk(key)),
      ]
      for (const known of spellings) {
        const attacker = { ...hmacOf(Buffer.from(known)), kid: key.kid }
        expect(accepts(sign(attacker, claims, 'at+jwt'))).toBe(false)
        // Also if a faulty ring returns the public key for HS256.
        const careless: FindKey = () => ({ ...verificationKey(key), alg: 'HS256' }) as unknown as VerificationKey
        expect(accepts(sign(attacker, claims, 'at+jwt'), careless)).toBe(false)
      }
    }
  })

  test('an empty secret and one of zeros do not verify', () => {
    for (const guess of ['', '\0', '\0'.repeat(32)]) {
      const attacker = { ...hmacOf(utf8(guess)), kid: keys.HS256.kid }
      expect(accepts(sign(attacker, claims, 'at+jwt'))).toBe(false)
    }
  })

  test('an unknown kid, or no keys, verifies nothing', () => {
    const token = withHeader(keys.ES256, { ...honestHeader(keys.ES256), kid: "' OR 1=1 --" })
    expect(accepts(token)).toBe(false)
    expect(accepts(token, () => undefined)).toBe(false)
  })

  test('the keys are looked up with the kid and alg of the header', () => {
    const asked: unknown[] = []
    const spy: FindKey = (kid, alg) => {
      asked.push([kid, alg])
      return undefined
    }
    verify(sign(keys.EdDSA, claims, 'at+jwt'), spy, accessToken)
    verify(withHeader(keys.EdDSA, { alg: 'EdDSA', typ: 'at+jwt' }), spy, accessToken)
    expect(asked).toEqual([
      [keys.EdDSA.kid, 'EdDSA'],
      [undefined, 'EdDSA'],
    ])
  })
})

describe('ES256 signatures out of range', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const [header, payload, signature] = sign(keys.ES256, claims, 'at+jwt').split('.') as [string, string, string]
  const [r, s] = [toBigInt(bytes(signature).subarray(0, 32)), toBigInt(bytes(signature).subarray(32))]
  const withSignature = (r: bigint, s: bigint) =>
    `${header}.${payload}.${Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex').toString('base64url')}`

  test('r and s must be from 1 to n-1 (CVE-2022-21449)', () => {
    expect(accepts(withSignature(r, s))).toBe(true)
    const edge = [0n, order, order + 1n, 2n ** 256n - 1n]
    for (const bad of edge) {
      expect(accepts(withSignature(bad, s))).toBe(false)
      expect(accepts(withSignature(r, bad))).toBe(false)
      for (const other of [...edge, 1n]) expect(accepts(withSignature(bad, other))).toBe(false)
    }
  })

  test('the DER form of a valid signature is refused', () => {
    const der = nodeSign('sha256', utf8(`${header}.${payload}`), keys.ES256.key)
    expect(accepts(`${header}.${payload}.${toBase64Url(der)}`)).toBe(false)
  })

  test('n-s is a second form of the same signature, so the text does not identify a token', () => {
    expect(accepts(withSignature(r, order - s))).toBe(true)
  })
})

describe('the header', () => {
  const key = keys.HS256

  test('parameters that bring a key or change the meaning are refused', () => {
    expect(accepts(withHeader(key, honestHeader(key)))).toBe(true)
    const jwk = { kty: 'oct', k: toBase64Url(utf8(SECRET)) }
    const tricks = { crit: ['exp'], b64: true, zip: 'DEF', jwk, jku: 'https://evil.example/jwks', cty: 'JWT' }
    for (const [name, value] of Object.entries({ ...tricks, x5u: 'https://evil.example', x5c: ['MIIB'] }))
      for (const form of [value, null, [], '', false])
        expect([name, accepts(withHeader(key, { ...honestHeader(key), [name]: form }))]).toEqual([name, false])
  })

  test('other unknown parameters are ignored (RFC 7515 section 4)', () => {
    expect(accepts(withHeader(key, { ...honestHeader(key), 'https://example.com/x': 1, x5t: 'abc' }))).toBe(true)
  })

  test('typ is compared exactly', () => {
    for (const typ of [
      'AT+JWT',
      'at+JWT',
      'application/at+jwt',
      'JWT',
      'jwt',
      'rt+jwt',
      '',
      ' at+jwt',
      null,
      1,
      ['at+jwt'],
    ])
      expect(accepts(withHeader(key, { ...honestHeader(key), typ }))).toBe(false)
    const { typ: _, ...without } = honestHeader(key)
    expect(accepts(withHeader(key, without))).toBe(false)
    expect(verify(withHeader(key, without), byKid, { typ: undefined })).toBeDefined()
    expect(verify(sign(key, claims, 'at+jwt'), byKid, { typ: undefined })).toBeUndefined()
    expect(verify(sign(key, claims, 'JWT'), byKid, { typ: 'JWT' })).toBeDefined()
  })

  test('kid is a string or absent', () => {
    for (const kid of [1, null, true, [key.kid], { kid: key.kid }])
      expect(accepts(withHeader(key, { ...honestHeader(key), kid }), only(key))).toBe(false)
    const { kid: _, ...without } = honestHeader(key)
    expect(accepts(withHeader(key, without), only(key))).toBe(true)
  })

  test('is one JSON object', () => {
    const text = JSON.stringify(honestHeader(key))
    for (const header of [
      '',
      'null',
      '1',
      '"x"',
      '[]',
      `[${text}]`,
      `${text}${text}`,
      `${text}x`,
      `//\n${text}`,
      text.slice(0, -1),
    ])
      expect(accepts(withHeader(key, header), only(key))).toBe(false)
    expect(accepts(withHeader(key, ` ${text}\n`))).toBe(true)
  })

  test('has each name once, escaped or not, and never __proto__', () => {
    const rest = `"kid":"${key.kid}","typ":"at+jwt"`
    for (const header of [
      `{"alg":"none","alg":"HS256",${rest}}`,
      `{"alg":"HS256","alg":"HS256",${rest}}`,
      `{"\\u0061lg":"none","alg":"HS256",${rest}}`,
      `{"alg":"HS256",${rest},"kid":"${key.kid}"}`,
      `{"alg":"HS256",${rest},"__proto__":{"crit":[]}}`,
    ])
      expect(accepts(withHeader(key, header), only(key))).toBe(false)
    expect(accepts(withHeader(key, `{"alg":"HS256",${rest}}`))).toBe(true)
  })
})

describe('the payload', () => {
  const key = keys.EdDSA

  test('is a JSON object without duplicate names', () => {
    for (const payload of [
      '',
      'null',
      '42',
      '"sub"',
      '[]',
      '[{"sub":"42"}]',
      '{"sub":"42"',
      '{sub:42}',
      '{"sub":NaN}',
      '{"a":1,}',
    ])
      expect(accepts(withPayload(key, payload))).toBe(false)
    for (const payload of [
      '{"sub":"1","sub":"2"}',
      '{"sub":"1","\\u0073ub":"1"}',
      '{"a":{"b":1,"b":2}}',
      '{"__proto__":{"sub":"1"}}',
    ])
      expect(accepts(withPayload(key, payload))).toBe(false)
    expect(accepts(withPayload(key, '{}'))).toBe(true)
  })

  test('is valid UTF-8 without a byte order mark', () => {
    const around = (middle: number[]) => Buffer.concat([utf8('{"sub":"'), Uint8Array.from(middle), utf8('"}')])
    expect(accepts(withPayload(key, around([0xc3, 0xbc])))).toBe(true)
    // Overlong, a surrogate, beyond U+10FFFF, truncated, a stray continuation byte, Latin-1.
    for (const bad of [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80], [0xfc]])
      expect(accepts(withPayload(key, around(bad)))).toBe(false)
    expect(accepts(withPayload(key, Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), utf8('{}')])))).toBe(false)
    expect(accepts(withPayload(key, Buffer.from('{"sub":"42"}', 'utf16le')))).toBe(false)
  })

  test('E8: has a bounded depth', () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`
    expect(accepts(withPayload(key, nested(8)))).toBe(true)
    expect(accepts(withPayload(key, nested(9)))).toBe(false)
    expect(accepts(withPayload(key, nested(3000)))).toBe(false)
  })
})

describe('the three segments', () => {
  const key = keys.EdDSA
  const token = sign(key, { sub: '42' }, 'at+jwt')
  const [header, payload, signature] = token.split('.') as [string, string, string]

  test('must be exactly three, and not empty', () => {
    const wrong = [
      '',
      '.',
      '..',
      '...',
      header,
      `${header}.${payload}`,
      `${token}.`,
      `.${token}`,
      `${token}.${signature}`,
    ]
    const holes = [
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}..`,
    ]
    for (const text of [...wrong, ...holes, `${header}.a.b.c.d`, '.'.repeat(8192), '.'.repeat(3_000_000)])
      expect(accepts(text, only(key))).toBe(false)
  })

  test('have one spelling: no padding, whitespace, other alphabet or stray bits', () => {
    const bare = (length: number) => ({ ...honestHeader(key), x: 'x'.repeat(length) })
    for (let length = 0; length < 3; length++) {
      const segment = encode(bare(length))
      expect(accepts(signSegments(key, segment, payload))).toBe(true)
      for (const other of respell(segment)) {
        expect(accepts(signSegments(key, other, payload))).toBe(false)
        expect(accepts(signSegments(key, header, other))).toBe(false)
      }
    }
    for (const other of respell(signature)) expect(accepts(`${header}.${payload}.${other}`)).toBe(false)
  })

  test('have nothing around them', () => {
    for (const text of [
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      `"${token}"`,
      `Bearer ${token}`,
      `${token}\0`,
      `\ufeff${token}`,
    ])
      expect(accepts(text)).toBe(false)
  })

  test('E8: have at most 8 KiB together, and sign makes none longer', () => {
    const lengths = new Set<number>()
    for (let pad = 5900; pad < 6100; pad++) {
      const padded = { pad: 'x'.repeat(pad) }
      const text = withPayload(key, padded)
      lengths.add(text.length)
      expect(accepts(text)).toBe(text.length <= 8192)
      if (text.length <= 8192) expect(sign(key, padded, 'at+jwt').length).toBe(text.length)
      else expect(() => sign(key, padded, 'at+jwt')).toThrow(RangeError)
    }
    expect([8191, 8192].some((length) => lengths.has(length))).toBe(true)
    expect([8193, 8194].some((length) => lengths.has(length))).toBe(true)
  })

  test('in JWE and the JSON serialization are refused', () => {
    const jwe = `${encode({ alg: 'dir', enc: 'A256GCM' })}..${encode('iv')}.${encode('text')}.${encode('tag')}`
    const json = JSON.stringify({ payload, protected: header, signature })
    for (const text of [jwe, json, `{"payload":"${token}"}`]) expect(accepts(text, only(key))).toBe(false)
  })
})

describe('verify never throws for', () => {
  const runs = { seed: 38, numRuns: 300 }
  const anyKey: FindKey = (_, alg) => verificationKey(all.find((key) => key.alg === alg) ?? keys.ES256)
  const segment = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array().map((array) => toBase64Url(array)),
    fc.json().map(encode),
    fc.constantFrom(...all.map((key) => encode(honestHeader(key)))),
  )

  test('random text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => !accepts(text, anyKey)),
      runs,
    )
  })

  test('random segments', () => {
    fc.assert(
      fc.property(segment, segment, segment, (...parts) => !accepts(parts.join('.'), anyKey)),
      runs,
    )
  })

  test('random headers and payloads with a valid signature', () => {
    const json = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(json, (text) => {
        const isObject = text.trimStart().startsWith('{')
        if (accepts(withPayload(keys.HS256, text))) expect(isObject).toBe(true)
        return !accepts(withHeader(keys.HS256, text), anyKey)
      }),
      runs,
    )
  })
})

/** As `hmacKey`, with a secret of any length. */
function hmacOf(secret: Uint8Array): HmacKey {
  return { alg: 'HS256', kid: 'rfc', mac: (data) => hmacSha256(secret, data) }
}

function privateKey(jwk: object) {
  return createPrivateKey({ key: { ...jwk }, format: 'jwk' })
}

async function joseKey(key: SigningKey, part: 'public' | 'private') {
  if (key.alg === 'HS256') return utf8(SECRET)
  return importJWK(part === 'public' ? { ...exportPublicJwk(key) } : key.key.export({ format: 'jwk' }), key.alg)
}

function toBigInt(value: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(value).toString('hex')}`)
}

/** Other texts that lenient decoders decode to the same bytes. */
function respell(segment: string): string[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const sameBytes = [...alphabet]
    .map((last) => segment.slice(0, -1) + last)
    .filter((text) => text !== segment && Buffer.from(text, 'base64url').equals(Buffer.from(segment, 'base64url')))
  const half = segment.length / 2
  const broken = [' ', '\n', '\r\n', '\t', '=', '*'].map((text) => segment.slice(0, half) + text + segment.slice(half))
  const classic = segment.replaceAll('-', '+').replaceAll('_', '/')
  return [
    ...sameBytes,
    ...broken,
    ...(classic === segment ? [] : [classic]),
    `${segment}=`,
    `${segment}==`,
    `${segment}A`,
  ]
}
