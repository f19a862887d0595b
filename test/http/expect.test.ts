import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { servedPerSuite } from '../support/hooks.ts'
import { hasPrograms } from '../support/programs.ts'
import { type RunningProxy, startNginx } from '../support/proxy.ts'
import { readChapter } from '../support/readme.ts'

setDefaultTimeout(30_000)

const body = 'username=ada&password=correct+horse+battery'

describe('12.B9 Expect: 100-continue', () => {
  const { app, served } = servedPerSuite()
  beforeAll(async () => {
    await app.signUp()
  })

  /** The status lines of the answers to a login whose client sends its body after `sendsBody`. */
  function statuses(port: number, expectation: string, sendsBody: (answered: Promise<void>) => Promise<unknown>) {
    const answered = Promise.withResolvers<void>()
    const all = Promise.withResolvers<string[]>()
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (piece) => {
      text += piece
      answered.resolve()
    })
    socket.on('error', all.reject)
    socket.on('close', () => all.resolve([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!)))
    socket.write(
      `POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: ${expectation}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    sendsBody(answered.promise).then(() => socket.write(body))
    return all.promise
  }

  test('is answered before the body', async () => {
    const port = Number(new URL(served.url).port)
    expect(await statuses(port, '100-continue', (answered) => answered)).toEqual(['100', '200'])
  })

  // If this fails, Bun compares the value without its case: then the guide need not mention it any more.
  test('with a capital C is not answered by Bun, which the guide says', async () => {
    const port = Number(new URL(served.url).port)
    // The second request is answered after the head of the first was read.
    const later = () => fetch(`${served.url}/livez`).then((response) => response.text())
    expect(await statuses(port, '100-Continue', later)).toEqual(['200'])
    expect(await readChapter('running')).toContain('`Expect: 100-Continue` with a capital C')
  })

  test.skipIf(!hasPrograms('nginx'))('in any case is answered by nginx in front, as the guide says', async () => {
    const nginx: RunningProxy = await startNginx(`location / { proxy_pass ${served.url}; }`)
    try {
      for (const expectation of ['100-Continue', '100-continue'])
        expect(await statuses(nginx.port, expectation, (answered) => answered)).toEqual(['100', '200'])
    } finally {
      await nginx.stop()
    }
  })
})
