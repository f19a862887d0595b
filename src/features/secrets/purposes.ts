/** The purposes of MACs. Each purpose has its own keys. */
export const purposes = [
  'refresh_token',
  'device_token',
  'api_key',
  'limit_name',
  'username',
  'mail_token',
  'mail_code',
  'client_secret',
  'authorization_code',
  'device_code',
  'browser_session',
  'page_request',
  'mfa_token',
  'recovery_code',
  'passkey_challenge',
  'trusted_device',
] as const
export type Purpose = (typeof purposes)[number]

/** The labels with which versions of Keyward without data keys derived the keys of MACs from SECRET_KEY. */
export const derivedLabels: Partial<Record<Purpose, string>> = {
  refresh_token: 'keyward refresh token v1',
  device_token: 'keyward device token v1',
  api_key: 'keyward api key v1',
  limit_name: 'keyward limit name v1',
}
