import { expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from 'node:net'
import { runBinary, startBinary } from '../support/binary.ts'

setDefaultTimeout(60_000)

test('a stopping process fails its readiness probe, keeps serving, finishes running requests and exits with 0', async () => {
  const keyward = await startBinary({ env: { SHUTDOWN_DELAY_SECONDS: '2' } })
  const { port } = new URL(keyward.url)
  try {
    expect((await keyward.request('GET', '/readyz')).status).toBe(200)
    const healthcheck = () => runBinary(['healthcheck'], { env: { HOST: '127.0.0.1', PORT: port } })
    expect((await healthcheck()).exitCode).toBe(0)
    const body = JSON.stringify({ email: 'ada@example.com', username: 'ada', password: 'correct horse battery' })
    const running = await sendPart(
      Number(port),
      `POST /register HTTP/1.1\r\nHost: keyward\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`,
    )

    keyward.signal('SIGTERM')
    await keyward.says(/"stopping"/)
    const ready = await keyward.request('GET', '/readyz')
    expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close'])
    expect(await ready.json()).toMatchObject({ code: 'shutting_down' })
    const { exitCode, stderr } = await healthcheck()
    expect([exitCode, stderr]).toEqual([1, `http://127.0.0.1:${port}/readyz answers 503: The service is stopping\n`])
    expect((await keyward.request('GET', '/users/me')).status).toBe(401)

    while (await keyward.request('GET', '/livez').then(Boolean, () => false)) await Bun.sleep(20)
    running.send(body.slice(1))
    expect(await running.answer).toStartWith('HTTP/1.1 201 ')
    expect(await keyward.exited).toBe(0)
    expect(keyward.output()).toContain('"event":"stopped"')
  } finally {
    await keyward.stop()
  }
})

/** A request whose beginning is sent at once, and the rest by `send`. */
async function sendPart(port: number, text: string) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    received += chunk
  })
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('close', () => resolve(received)).once('error', reject)
  })
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  socket.write(text)
  return { send: (rest: string) => socket.write(rest), answer }
}
