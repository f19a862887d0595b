/**
 * How well a session knows its user, as the claim `acr` says it, the weakest first. `aal1`: one factor. `aal2`: two
 * factors. `phr`: a passkey whose device has verified the user, which no other site can ask for (the name is that of
 * OpenID Connect Extended Authentication Profile 1.0).
 */
export const levels = ['aal1', 'aal2', 'phr'] as const
export type Level = (typeof levels)[number]

/** The level of the authentication methods of a session (RFC 8176). */
export function levelOf(amr: readonly string[]): Level {
  if ((amr.includes('hwk') || amr.includes('swk')) && amr.includes('user')) return 'phr'
  return amr.includes('mfa') ? 'aal2' : 'aal1'
}

/** Returns true when `held` is the level `asked` or a higher one. */
export const reaches = (held: Level, asked: Level): boolean => levels.indexOf(held) >= levels.indexOf(asked)
