// node-ws: echoes, or sends each message to everybody.
//
//   node node_echo.cjs PORT echo|broadcast none|deflate [CERTIFICATE KEY]
'use strict'
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const { WebSocketServer } = require('ws')

const [port, mode, compression, cert, key] = process.argv.slice(2)
const server = cert
  ? https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : http.createServer()
const sockets = new WebSocketServer({
  server,
  maxPayload: 16 << 20,
  perMessageDeflate: compression === 'deflate' && { threshold: 0 },
})
sockets.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    if (mode === 'echo') socket.send(data, { binary })
    else for (const guest of sockets.clients) guest.send(data, { binary })
  })
  socket.on('error', () => {})
})
server.listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 }, () => console.log(`listening on ${port}`))
