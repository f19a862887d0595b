/** Red, green and blue, each from 0 to 255. */
type Color = readonly [number, number, number]

const WHITE: Color = [255, 255, 255]
/** The text on a button whose colour is too light for white. With black or white, every colour has a contrast of 4.5. */
const BLACK: Color = [0, 0, 0]
/** The grounds of links in `style.css`: `--card` and `--ground`, in the light and in the dark look. */
const LIGHT: readonly Color[] = [WHITE, [243, 245, 248]]
const DARK: readonly Color[] = [
  [31, 36, 42],
  [20, 23, 27],
]

/** The least contrast of text (WCAG 2.2, 1.4.3). */
const TEXT = 4.5

/**
 * Makes the rules of a style sheet that replace the colour of buttons and links. A button has white or dark text,
 * whichever has more contrast. A link is made darker, or lighter in the dark look, until it can be read.
 * @param text BRAND_COLOR, such as `#1d5fb8`
 */
export function brandStyle(text: string): string {
  const color = parse(text)
  const onButton = contrast(color, WHITE) >= contrast(color, BLACK) ? WHITE : BLACK
  // The colour of a pressed button moves away from its text, so the contrast grows.
  const active = mix(color, onButton === WHITE ? BLACK : WHITE, 0.2)
  const button = [`--button:${text}`, `--button-text:${css(onButton)}`, `--button-active:${css(active)}`]
  const light = [...button, `--link:${css(readable(color, LIGHT, BLACK))}`].join(';')
  const dark = `--link:${css(readable(color, DARK, WHITE))}`
  return `\n:root{${light}}\n@media (prefers-color-scheme: dark){:root{${dark}}}\n`
}

/** Returns the colour nearest to `color`, on the way to `end`, that has enough contrast on every ground. */
function readable(color: Color, grounds: readonly Color[], end: Color): Color {
  for (let part = 0; part < 1; part += 0.05) {
    const mixed = mix(color, end, part)
    if (grounds.every((ground) => contrast(mixed, ground) >= TEXT)) return mixed
  }
  return end
}

/** The contrast of two colours (WCAG 2.2), from 1 to 21. */
export function contrast(a: Color, b: Color): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number]
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(color: Color): number {
  const [red, green, blue] = color.map((part) => {
    const value = part / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const mix = (a: Color, b: Color, part: number): Color =>
  [0, 1, 2].map((i) => Math.round(a[i]! * (1 - part) + b[i]! * part)) as unknown as Color

export const parse = (text: string): Color =>
  [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16)) as unknown as Color

const css = (color: Color): string => `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`
