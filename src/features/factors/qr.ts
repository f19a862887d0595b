import { encode } from 'uqr'

/** The quiet zone that ISO/IEC 18004 asks for, in modules. Readers need it on a dark page. */
const BORDER = 4

/**
 * Draws a QR code as an SVG image: black on white, whatever the colours of the page are, with its white border. It has no
 * size of its own and no style, so a page with a strict Content-Security-Policy can contain it.
 */
export function qrSvg(text: string): string {
  const { size, data } = encode(text, { ecc: 'L', border: 0 })
  const whole = size + 2 * BORDER
  const dark = data.flatMap((row, y) =>
    runs(row).map(([x, length]) => `M${x + BORDER} ${y + BORDER}h${length}v1h-${length}z`),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${whole} ${whole}" shape-rendering="crispEdges">`,
    `<path fill="#fff" d="M0 0h${whole}v${whole}H0z"/>`,
    `<path fill="#000" d="${dark.join('')}"/></svg>`,
  ].join('')
}

/** The dark parts of a row: where each begins, and its length. */
function runs(row: readonly boolean[]): [start: number, length: number][] {
  const found: [number, number][] = []
  row.forEach((isDark, x) => {
    if (!isDark) return
    if (x > 0 && row[x - 1]) found.at(-1)![1]++
    else found.push([x, 1])
  })
  return found
}
