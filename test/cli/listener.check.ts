import { afterEach, describe, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { listen } from '../../src/cli/listener.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const get = 'GET /answered HTTP/1.1\r\nHost: localhost\r\n\r\n'
const post = 'POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n'

// Bun looks at its timers every 4 seconds, and no clock moves them. So these tests wait for the shortest timeouts, but
// for events only: which connection is closed first, and which one still works then.
describe('a connection', () => {
  test('12.B8 M3: is closed when it is idle for IDLE_TIMEOUT_SECONDS, while requests at work and bodies on their way have 30 s', async () => {
    const server = await serve(1)
    const [idle, head, working, body] = [server.open(), server.open(), server.open(), server.open()]
    idle.send(get)
    head.send(get)
    working.send('GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n')
    body.send(`${post}01234`)
    await Promise.all([idle.answers(1), head.answers(1)])
    // A head that comes byte by byte does not gain time by it.
    head.send('GET / HTTP/1.1\r\nX: ')
    const dripping = setInterval(() => head.send('x'), 50)
    await Promise.all([idle.closed, head.closed])
    clearInterval(dripping)
    server.release()
    body.send('56789')
    await Promise.all([working.answers(1), body.answers(1)])
  }, 60_000)

  test('12.B8 M3: stays open for IDLE_TIMEOUT_SECONDS, while a body that does not arrive in time is cut', async () => {
    const server = await serve(255, 1)
    const [idle, after, ...bodies] = [server.open(), server.open(), server.open(), server.open(), server.open()]
    idle.send(get)
    after.send(`${post}0123456789`)
    await Promise.all([idle.answers(1), after.answers(1)])
    bodies[0]!.send(`${post}01234`)
    bodies[1]!.send(post)
    bodies[2]!.send('POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    const dripping = setInterval(() => bodies[2]!.send('1\r\nx\r\n'), 50)
    await Promise.all(bodies.map(({ closed }) => closed))
    clearInterval(dripping)
    for (const kept of [idle, after]) {
      kept.send(get)
      await kept.answers(2)
    }
  }, 60_000)
})

/** A listener whose answers to `/held` wait for `release`. */
async function serve(idleSeconds: number, requestTimeout?: number) {
  const held = Promise.withResolvers<void>()
  const settings = { HOST: '127.0.0.1', PORT: 0, IDLE_TIMEOUT_SECONDS: idleSeconds }
  const { server, answerWith } = await listen(settings, async () => {}, requestTimeout)
  answerWith(async (request) => {
    if (request.url.endsWith('/held')) await held.promise
    if (request.url.endsWith('/read')) await request.bytes().catch(() => {})
    return new Response('answer')
  })
  ends.push(() => server.stop(true))
  return { release: held.resolve, open: () => open(server.port!) }
}

function open(port: number) {
  const socket: Socket = connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  let text = ''
  let told = () => {}
  socket.setEncoding('latin1')
  socket.on('data', (piece) => {
    text += piece
    told()
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve())
  })
  const count = () => text.split('HTTP/1.1 200 OK').length - 1
  return {
    closed,
    send: (bytes: string) => socket.writable && socket.write(bytes, 'latin1'),
    /** Resolves when the server has sent this many answers. @throws when the connection is closed before */
    answers: (wanted: number) =>
      Promise.race([
        new Promise<void>((resolve) => {
          told = () => count() >= wanted && resolve()
          told()
        }),
        closed.then(() => expect(count()).toBe(wanted)),
      ]),
  }
}
