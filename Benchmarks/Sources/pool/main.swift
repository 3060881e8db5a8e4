import EventLoops
import Transport
import WebSockets

let arguments = Arguments()
let loop = EventLoopGroup(loops: 1).loops[0]
let measurement = Measurement(
  server: arguments.pid, count: arguments.requests,
  message: .binary([UInt8](repeating: 120, count: arguments.size)), loop: loop)

var connection = WebSocketClientOptions(proxy: .none)
// The certificate of the echo server is made for the run.
if arguments.url.hasPrefix("wss://") { connection.tls.verification = .none }
let options = connection
let pool = WebSocketPool(arguments.url, options: WebSocketPoolOptions(connection: options), on: loop)

for atATime in [1, 8, 32] {
  try await measurement.run("pool of 8        ", atATime: atATime) {
    try await pool.request(measurement.message)
  }
  try await measurement.run("connect each time", atATime: atATime) {
    try await WebSocket.connect(to: arguments.url, options: options, on: loop) { socket in
      try await socket.send(measurement.message)
      for try await reply in socket { return reply }
      throw WrongReply()
    }
  }
}
let counters = pool.counters.values.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }
print("pool: \(counters.joined(separator: ", "))")
await pool.shutdown()
