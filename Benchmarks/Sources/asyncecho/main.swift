// An echo server on the public async interface, for measuring: asyncecho PORT

import EventLoops
import Glibc
import WebSockets

let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) } ?? 0
let options = WebSocketOptions(limits: WebSocketLimits(maximumMessageBytes: 1 << 20))
let server = WebSocketServer(port: port, options: options, group: EventLoopGroup(loops: 1))
let running = try await server.start { _ in
  .accept { socket in
    for try await message in socket { try await socket.send(message) }
  }
}
print("listening on ws://127.0.0.1:\(running.port)")
fflush(nil)
while true { try await Task.sleep(for: .seconds(3_600)) }
