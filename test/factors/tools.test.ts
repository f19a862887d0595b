import { describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { qrSvg } from '../../src/features/factors/factors.ts'
import { codeAt, newSecret, stepAt, totpUri } from '../../src/features/factors/totp.ts'
import { SECOND } from '../../src/lib/clock.ts'
import { toBase32 } from '../../src/lib/encoding.ts'
import { hasPrograms, hasPythonModules, PYTHON } from '../support/programs.ts'
import { seededRandom } from '../support/random.ts'
import { scratchFolder } from '../support/scratch.ts'

function run(...command: string[]): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync(command)
  if (exitCode !== 0) throw new Error(`${command[0]}: ${stderr}`)
  return stdout.toString().trim()
}

const times = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:29Z', '2026-01-01T00:00:30Z', '2038-01-19T03:14:08Z']

describe('an authenticator app', () => {
  test.if(hasPrograms('oathtool') && hasPythonModules('pyotp'))('M1: shows the codes of oathtool and pyotp', () => {
    for (const seed of ['one', 'two']) {
      const secret = newSecret(seededRandom(seed))
      const base32 = toBase32(secret)
      const ours = times.map((time) => codeAt(secret, stepAt(Date.parse(time))))
      const oathtool = times.map((time) =>
        run('oathtool', '--totp', '-b', '-N', time.replace('T', ' ').replace('Z', ' UTC'), base32),
      )
      expect(oathtool).toEqual(ours)
      const script = `import pyotp; print(*[pyotp.TOTP(${JSON.stringify(base32)}).at(t) for t in ${JSON.stringify(times.map((time) => Date.parse(time) / SECOND))}])`
      expect(run(PYTHON, '-c', script).split(' ')).toEqual(ours)
    }
  })

  test.if(hasPrograms('zbarimg'))('can be read from the QR code by zbarimg, also with the longest names', () => {
    const secret = newSecret(seededRandom('qr'))
    for (const issuer of ['Example', 'Ä'.repeat(100)]) {
      const uri = totpUri({ secret, issuer, account: 'ada+1@example.com' })
      const file = join(scratchFolder('qr'), 'qr.pgm')
      writeFileSync(file, imageOf(qrSvg(uri)))
      expect(run('zbarimg', '--quiet', '--raw', file)).toBe(uri)
    }
  })
})

/** Draws the rectangles of the SVG image, four pixels for a module, as a portable graymap. */
function imageOf(svg: string): string {
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)![1])
  const rows = Array.from({ length: side }, () => Array<number>(side).fill(255))
  const dark = /fill="#000" d="([^"]+)"/.exec(svg)![1]!
  for (const [, x, y, length] of dark.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
    rows[Number(y)]!.fill(0, Number(x), Number(x) + Number(length))
  const pixels = rows.flatMap((row) => Array(4).fill(row.flatMap((pixel) => Array(4).fill(pixel)).join(' ')))
  return `P2\n${side * 4} ${side * 4}\n255\n${pixels.join('\n')}\n`
}
