import { Optional } from 'typebox'
import { isPlainLine } from './formats.ts'
import { text, webAddress } from './kinds.ts'

/** The part of `configSchema` about what the pages show. */
export const pageSettings = {
  BRAND_LOGO: Optional(
    text(isPlainLine, 'the path of an image', {
      description: 'Your logo for the pages: a PNG, JPEG, WebP or SVG file of at most 64 KiB.',
    }),
  ),
  BRAND_COLOR: Optional(
    text((color) => /^#[0-9a-f]{6}$/i.test(color), 'a colour such as #1d5fb8', {
      description:
        'The colour of buttons and links on the pages. A button gets dark text where white could not be read on it, and a link is made darker or lighter until it can be read.',
    }),
  ),
  TERMS_URL: Optional(webAddress({ description: 'Your terms of use; the page to register links to them.' })),
  PRIVACY_URL: Optional(webAddress({ description: 'Your privacy policy; the page to register links to it.' })),
}
