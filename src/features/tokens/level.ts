/**
 * The levels of authentication, the lowest first; the values of the claim `acr`. `aal1`: one factor. `aal2`: two
 * factors. `phr`: a passkey that verified its user, which withstands phishing and counts as two factors.
 */
export const levels = ['aal1', 'aal2', 'phr'] as const
export type Level = (typeof levels)[number]

export const isLevel = (text: unknown): text is Level => (levels as readonly unknown[]).includes(text)

/** The level of a session, by its authentication methods (the claim `amr`, RFC 8176). */
export function levelOf(amr: readonly string[]): Level {
  if ((amr.includes('hwk') || amr.includes('swk')) && amr.includes('user')) return 'phr'
  return amr.includes('mfa') ? 'aal2' : 'aal1'
}

/** True when `held` is at least `asked`. */
export const reaches = (held: Level, asked: Level): boolean => levels.indexOf(held) >= levels.indexOf(asked)
