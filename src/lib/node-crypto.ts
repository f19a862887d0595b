let loaded: typeof import('node:crypto') | undefined

/**
 * Node's `crypto`, loaded when it is first needed: it brings Node's streams along and so takes two milliseconds, and a
 * service that signs with HS256 starts and serves without it.
 */
export const nodeCrypto = (): typeof import('node:crypto') => {
  loaded ??= require('node:crypto') as typeof import('node:crypto')
  return loaded
}
