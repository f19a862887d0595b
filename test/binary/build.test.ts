import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { binaryPath } from '../support/binary.ts'
import { hasPrograms } from '../support/programs.ts'
import { readChapter } from '../support/readme.ts'
import { scratchFolder } from '../support/scratch.ts'
import { readOrder, recordOrder } from '../support/start-order.ts'

setDefaultTimeout(120_000)

const root = join(import.meta.dir, '..', '..')

async function run(command: string[]) {
  const child = Bun.spawn(command, { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, err] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  return { code, text: out + err }
}

describe('bun run build --target', () => {
  test('makes an executable for another machine, and keeps the one for this machine', async () => {
    const own = await Bun.file(await binaryPath())
      .slice(0, 20)
      .bytes()
    const outfile = join(scratchFolder('arm64'), 'keyward')
    const ofEarlierBuild = join(root, 'dist', 'gone-1a2b3c4d.js.map')
    await Bun.write(ofEarlierBuild, '{}')
    const { code, text } = await run([
      process.execPath,
      'run',
      'build',
      '--target=bun-linux-arm64',
      `--outfile=${outfile}`,
    ])
    expect({ code, text: code === 0 ? '' : text }).toEqual({ code: 0, text: '' })
    const head = await Bun.file(outfile).slice(0, 20).bytes()
    expect(await Bun.file(ofEarlierBuild).exists()).toBe(false)
    // e_machine of ELF: EM_AARCH64.
    expect(String.fromCharCode(...head.subarray(1, 4))).toBe('ELF')
    expect(head[18]! | (head[19]! << 8)).toBe(183)
    expect(
      await Bun.file(await binaryPath())
        .slice(0, 20)
        .bytes(),
    ).toEqual(own)
  })

  test('refuses an unknown target', async () => {
    const outfile = join(scratchFolder('nowhere'), 'keyward')
    const { code, text } = await run([
      process.execPath,
      'run',
      'build',
      '--target=bun-linux-pdp11',
      `--outfile=${outfile}`,
    ])
    expect(code).not.toBe(0)
    expect(text).toContain('pdp11')
    expect(await Bun.file(outfile).exists()).toBe(false)
  })
})

test('src/main.order lists nearly all functions that a start uses', async () => {
  const listed = new Set(await readOrder())
  const used = await recordOrder()
  const unlisted = used.filter((hash) => !listed.has(hash))
  // When this fails, run `bun test/support/start-order.ts`.
  expect(unlisted.length / used.length).toBeLessThan(0.2)
})

describe.skipIf(!hasPrograms('systemd-analyze'))('the systemd unit of the guide', () => {
  test('is accepted by systemd-analyze, with a low exposure', async () => {
    const [, unit] = /```ini\n(\[Unit\].*?)```/s.exec(await readChapter('running')) ?? []
    const file = join(scratchFolder('unit'), 'keyward.service')
    await Bun.write(file, unit!.replace('/usr/local/bin/keyward', await binaryPath()))
    expect(await run(['systemd-analyze', 'verify', file])).toEqual({ code: 0, text: '' })
    const { code, text } = await run([
      'systemd-analyze',
      'security',
      '--no-pager',
      '--offline=true',
      '--threshold=20',
      file,
    ])
    expect({ code, exposure: /exposure level for .*: ([\d.]+)/.exec(text)?.[1] !== undefined }).toEqual({
      code: 0,
      exposure: true,
    })
  })
})
