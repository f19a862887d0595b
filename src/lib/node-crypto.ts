let loaded: typeof import('node:crypto') | undefined

/**
 * Returns Node's `crypto`, which is loaded at the first call. Loading takes two milliseconds, because `crypto` also
 * loads Node's streams.
 */
export const nodeCrypto = (): typeof import('node:crypto') => {
  loaded ??= require('node:crypto') as typeof import('node:crypto')
  return loaded
}
