import { Optional } from 'typebox'
import { webAddress } from './kinds.ts'

/** The part of `configSchema` about what the pages show. */
export const pageSettings = {
  TERMS_URL: Optional(webAddress({ description: 'Your terms of use; the page to register links to them.' })),
  PRIVACY_URL: Optional(webAddress({ description: 'Your privacy policy; the page to register links to it.' })),
}
