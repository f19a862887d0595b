let loaded: typeof import('node:crypto') | undefined

/**
 * Returns Node's `crypto` and loads it at the first call. Loading takes two milliseconds, because it also loads Node's
 * streams.
 */
export const nodeCrypto = (): typeof import('node:crypto') => {
  loaded ??= require('node:crypto') as typeof import('node:crypto')
  return loaded
}
