/*
 * A mail server that takes every mail and keeps none. SMTP is on SMTP_PORT; HTTP on PORT answers how many mails came,
 * and the times of the first and the last; `/reset` counts from zero again.
 */

let count = 0
let [first, last] = [0, 0]

interface Session {
  rest: string
  isData: boolean
}

Bun.listen<Session>({
  hostname: '127.0.0.1',
  port: Number(process.env.SMTP_PORT),
  socket: {
    open(socket) {
      socket.data = { rest: '', isData: false }
      socket.write('220 sink\r\n')
    },
    data(socket, chunk) {
      const { data: session } = socket
      session.rest += chunk.toString('latin1')
      for (;;) {
        const ending = session.isData ? '\r\n.\r\n' : '\r\n'
        const end = session.rest.indexOf(ending)
        if (end < 0) return
        const line = session.rest.slice(0, end)
        session.rest = session.rest.slice(end + ending.length)
        if (session.isData) {
          session.isData = false
          count++
          last = performance.now()
          first ||= last
          socket.write('250 ok\r\n')
        } else if (/^DATA/i.test(line)) {
          session.isData = true
          socket.write('354 go\r\n')
        } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n')
        else socket.write('250 ok\r\n')
      }
    },
  },
})

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.env.PORT),
  fetch(request) {
    const answer = Response.json({ count, first, last })
    if (request.url.endsWith('/reset')) [count, first, last] = [0, 0, 0]
    return answer
  },
})
