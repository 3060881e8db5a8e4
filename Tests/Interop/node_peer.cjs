// Debian's node-ws as a peer, told what to do by test_node_ws.py.
//
//   node node_peer.cjs client URL [compress]          talks to an echo server
//   node node_peer.cjs server TALK [compress]         prints its port, serves one client, which sends messages back
//
// Ends with status 0 where everything was as it should be, and prints one line of JSON about the connection.
'use strict'
const assert = require('node:assert')
const crypto = require('node:crypto')
const { once } = require('node:events')
const { WebSocket, WebSocketServer } = require('ws')

const [mode, argument, compress] = process.argv.slice(2)
const options = { perMessageDeflate: compress === 'compress', maxPayload: 64 << 20 }
const texts = ['', 'a', 'ünï ☃ 𝄞', 'x'.repeat(125), 'x'.repeat(126), '𝄞'.repeat(20_000)]
const binaries = [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20].map((size) => crypto.randomBytes(size))

/** The messages in their order, as [data, isBinary]. */
function reader(socket) {
  const waiting = []
  const wanted = []
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? data : data.toString()
    if (wanted.length) wanted.shift()(message)
    else waiting.push(message)
  })
  return () => (waiting.length ? Promise.resolve(waiting.shift()) : new Promise((resolve) => wanted.push(resolve)))
}

/** Every message must come back as it was, its kind included. */
async function exchange(socket) {
  const next = reader(socket)
  for (const message of [...texts, ...binaries]) {
    socket.send(message)
    assert.deepStrictEqual(await next(), message)
  }
  for (let number = 0; number < 500; number++) socket.send(`${number}`)
  for (let number = 0; number < 500; number++) assert.strictEqual(await next(), `${number}`)
  for (const part of ['one ', 'two ']) socket.send(part, { fin: false })
  socket.send('three', { fin: true })
  assert.strictEqual(await next(), 'one two three')
  const payload = crypto.randomBytes(125)
  socket.ping(payload)
  assert.deepStrictEqual((await once(socket, 'pong'))[0], payload)
}

const talks = {
  async exchange(socket) {
    await exchange(socket)
    socket.close(4321, 'done')
  },
  async vanish(socket) {
    socket.send('x')
    await once(socket, 'message')
    socket.terminate()
  },
  // ws checks what it sends itself, so the bytes go to its socket.
  async violate(socket) {
    socket._socket.write(Buffer.from([0x83, 0x00]))
  },
  // A server must not mask (RFC 6455 §5.1).
  async mask(socket) {
    socket._socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x78]))
  },
}

async function finish(socket) {
  const [code, reason] = await once(socket, 'close')
  console.log(JSON.stringify({ code, reason: reason.toString(), extensions: socket.extensions, protocol: socket.protocol }))
}

async function main() {
  if (mode === 'client') {
    const socket = new WebSocket(argument, options)
    await once(socket, 'open')
    const finished = finish(socket)
    await talks.exchange(socket)
    await finished
  } else {
    const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    console.log(server.address().port)
    const [socket] = await once(server, 'connection')
    const finished = finish(socket)
    await talks[argument](socket)
    await finished
    server.close()
  }
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
