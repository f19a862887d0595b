import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { allowsRedirect } from '../../src/features/clients/clients.ts'

const registered = [
  'https://app.example/callback',
  'https://app.example/cb?tenant=1',
  'http://127.0.0.1:8400/cb',
  'http://127.0.0.1/cb?x=1',
  'http://[::1]/cb',
  'http://localhost:3000/cb',
  'com.example.app:/cb',
]

test('15.O3: the port alone may differ, and only for the loopback IP addresses', () => {
  for (const asked of [
    ...registered,
    'http://127.0.0.1/cb',
    'http://127.0.0.1:1/cb',
    'http://127.0.0.1:65535/cb',
    'http://127.0.0.1:51004/cb?x=1',
    'http://[::1]:8080/cb',
  ])
    expect([asked, allowsRedirect(registered, asked)]).toEqual([asked, true])
  for (const asked of [
    '',
    'https://app.example/callback/',
    'https://app.example:443/callback',
    'https://app.example/Callback',
    'https://APP.example/callback',
    'https://app.example/callback?',
    'https://app.example/callback#',
    'https://user@app.example/callback',
    'https://app.example\\@evil.example/callback',
    'http://127.0.0.1:65536/cb',
    'http://127.0.0.1:0/cb',
    'http://127.0.0.1:080/cb',
    'http://127.0.0.1:/cb',
    'http://127.0.0.1:80@evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.2/cb',
    'http://127.1/cb',
    'http://[::1%25lo]/cb',
    'http://[::1]:80:80/cb',
    'http://[0:0:0:0:0:0:0:1]/cb',
    'https://127.0.0.1/cb',
    'http://127.0.0.1/cb/',
    'http://127.0.0.1/other',
    'http://127.0.0.1/cb?x=2',
    'http://localhost:3001/cb',
    'http://localhost/cb',
    'com.example.app://cb',
    'COM.example.app:/cb',
  ])
    expect([asked, allowsRedirect(registered, asked)]).toEqual([asked, false])
})

/** Changes a URI in the ways in which parsers disagree. */
const mutations: readonly ((uri: string, at: number, text: string) => string)[] = [
  (uri, at, text) => uri.slice(0, at) + text + uri.slice(at),
  (uri, at, text) => uri.slice(0, at) + text + uri.slice(at + 1),
  (uri, at) => uri.slice(0, at) + uri.slice(at + 1),
  (uri, at) => uri.slice(0, at) + uri[at]!.toUpperCase() + uri.slice(at + 1),
  (uri, at) => `${uri.slice(0, at)}%${uri.charCodeAt(at).toString(16)}${uri.slice(at + 1)}`,
  (uri, _, text) => uri.replace('//', `//${text}@`),
  (uri, _, text) => uri.replace(/(\/\/[^/?]+)/, `$1:${text}`),
  (uri, _, text) => uri.replace(/(\/\/[^/:?]+)/, `$1${text}`),
  (uri, _, text) => uri + text,
]
const pieces = fc.oneof(
  fc.constantFrom(
    ...[
      '/',
      '\\',
      '@',
      ':',
      '?',
      '#',
      '.',
      '..',
      '/../',
      '%2e',
      '%2e%2e',
      '%00',
      '\t',
      '\n',
      '\r',
      '\0',
      ' ',
      ';',
      '&',
    ],
    ...[
      ':443',
      ':80',
      '443',
      '8400',
      '65535',
      '65536',
      '0',
      '1e3',
      '.evil.example',
      'evil.example',
      'é',
      'ａ',
      '。',
      '%25lo',
    ],
    ...['\u202e', '\u2044', '\uff0f', 'xn--e1afmkfd', '[::1]', '127.0.0.1', 'localhost', '*', "'", '"', '<', '|'],
  ),
  fc.string({ maxLength: 3 }),
  fc.string({ unit: 'binary', maxLength: 2 }),
)

test('15.O2, O3: nothing but a registered text or a loopback text with another port ever matches', () => {
  const portOf = /^(http:\/\/(?:127\.0\.0\.1|\[::1\])):([0-9]{1,5})(?=[/?]|$)/
  /** The same rule in another way: the ports are taken out of texts that a URL parser takes for the same. */
  const isAllowed = (asked: string) => {
    if (registered.includes(asked)) return true
    const port = portOf.exec(asked)?.[2]
    if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535 && !port.startsWith('0'))) return false
    const bare = asked.replace(portOf, '$1')
    return registered.some(
      (uri) => /^http:\/\/(127\.0\.0\.1|\[::1\])[:/?]/.test(uri) && uri.replace(portOf, '$1') === bare,
    )
  }
  let matches = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...registered),
      fc.array(fc.tuple(fc.constantFrom(...mutations), fc.nat(60), pieces), { minLength: 1, maxLength: 3 }),
      (uri, changes) => {
        const asked = changes.reduce(
          (text, [mutate, at, piece]) => mutate(text, Math.min(at, text.length - 1), piece),
          uri,
        )
        const allowed = allowsRedirect(registered, asked)
        if (allowed) matches++
        return allowed === isAllowed(asked)
      },
    ),
    { numRuns: 100_000, seed: 15 },
  )
  expect(matches).toBeGreaterThan(100)
})
