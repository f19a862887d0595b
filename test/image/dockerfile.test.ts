import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { readChapter } from '../support/readme.ts'

const file = join(import.meta.dir, '..', '..', 'Dockerfile')

test('the Dockerfile passes the linter', async () => {
  const text = await Bun.file(file).text()
  expect(validate(text)).toEqual([])
  expect(validate(text.replace('USER 65532:65532', 'USER')).length).toBeGreaterThan(0)
})

test('Dockerfile, guide, systemd unit and compose.yaml have the same stop timeout', async () => {
  const texts = [await Bun.file(file).text(), await readChapter('running')]
  const said = texts.flatMap((text) => [
    ...text.matchAll(/(?:--stop-timeout |TimeoutStopSec=|stop_grace_period: )(\d+)/g),
  ])
  expect(said.map(([, seconds]) => seconds)).toEqual(['45', '45', '45', '45'])
})
