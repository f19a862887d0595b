import { expect, test } from 'bun:test'
import { problems, settings } from './loading.ts'

test('WEBAUTHN_RP_ID is the host of PUBLIC_URL, or a domain above it', () => {
  const PUBLIC_URL = 'https://auth.example.com'
  for (const text of ['auth.example.com', 'example.com'])
    expect(settings({ PUBLIC_URL, WEBAUTHN_RP_ID: text }).WEBAUTHN_RP_ID).toBe(text)
  for (const text of [
    'com',
    'example.org',
    'xample.com',
    'login.auth.example.com',
    'https://example.com',
    'Example.com',
  ])
    expect([text, problems({ PUBLIC_URL, WEBAUTHN_RP_ID: text }).map(([key]) => key)]).toEqual([
      text,
      ['WEBAUTHN_RP_ID'],
    ])
  expect(problems({ PUBLIC_URL: 'https://10.0.0.1', WEBAUTHN_RP_ID: '0.1' })).toHaveLength(1)
})

test('WEBAUTHN_ORIGINS are origins of pages and apps', () => {
  const app = `android:apk-key-hash:${'a'.repeat(43)}`
  expect(settings({ WEBAUTHN_ORIGINS: `https://app.example.com, ${app}` }).WEBAUTHN_ORIGINS).toEqual([
    'https://app.example.com',
    app,
  ])
  for (const text of ['https://app.example.com/', 'app.example.com', 'android:apk-key-hash:short', '*'])
    expect([text, problems({ WEBAUTHN_ORIGINS: text }).map(([key]) => key)]).toEqual([text, ['WEBAUTHN_ORIGINS']])
})
