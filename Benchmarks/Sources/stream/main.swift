// Sends one message of many GiB to `martlet echo --stream` and takes it back, byte by byte the same, while it watches the
// memory of both processes.
//
//   stream URL SERVER-PID GIB

import Glibc
import WebSockets

/// The resident memory of a process, in KiB.
func residentKiB(_ process: String) -> Int {
  guard let file = fopen("/proc/\(process)/status", "r") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, 256, file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    if text.hasPrefix("VmRSS:") { return Int(text.filter(\.isNumber)) ?? 0 }
  }
  return 0
}

func fail(_ message: String, status: Int32) -> Never {
  (message + "\n").utf8CString.withUnsafeBytes { _ = write(2, $0.baseAddress, $0.count - 1) }
  exit(status)
}

func seconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

let arguments = CommandLine.arguments
guard arguments.count == 4, let gibibytes = Int(arguments[3]), gibibytes > 0 else {
  fail("usage: stream URL SERVER-PID GIB", status: 2)
}
let (url, server) = (arguments[1], arguments[2])
let pieceCount = 64 << 10
let pieces = gibibytes << 14
let total = gibibytes << 30
let piece = (0..<pieceCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
var options = WebSocketClientOptions()
options.socket.delivery = .fragments

let start = seconds()
let (largestClient, largestServer) = try await WebSocket.connect(to: url, options: options) { socket in
  async let sending: Void = socket.send(.binary) { message in
    for _ in 0..<pieces { try await message.write(piece) }
  }
  var received = 0
  var (client, echo) = (0, 0)
  for try await fragment in socket.fragments {
    var offset = received % pieceCount
    var rest = fragment.bytes[...]
    while !rest.isEmpty {
      let count = min(rest.count, pieceCount - offset)
      guard rest.prefix(count) == piece[offset..<(offset + count)] else {
        fail("a wrong byte within \(count) bytes behind \(received)", status: 1)
      }
      rest = rest.dropFirst(count)
      offset = 0
    }
    if (received + fragment.bytes.count) >> 28 != received >> 28 {
      client = max(client, residentKiB("self"))
      echo = max(echo, residentKiB(server))
    }
    received += fragment.bytes.count
    if fragment.isFinal { break }
  }
  try await sending
  guard received == total else {
    fail("\(received) bytes of \(total) came back", status: 1)
  }
  return (client, echo)
}
let elapsed = seconds() - start
print(
  "\(gibibytes) GiB as one message there and back in \(Int(elapsed)) s,",
  "\(Int(Double(total) / elapsed / 1_048_576)) MiB/s;",
  "largest resident memory: server \(largestServer) KiB, client \(largestClient) KiB")
