import EventLoops
import Glibc
import WebSocketCore
import WebSockets

let arguments = Arguments()
let server = Server(pid: arguments.pid)
let loop = EventLoopGroup(loops: 1).loops[0]

/// Opens connections, at most 200 at once under way.
func open(_ count: Int, _ handler: @escaping @Sendable () -> WebSocketHandler) async -> [WebSocketConnection]
{
  var opened: [WebSocketConnection] = []
  var left = count
  while left > 0 {
    let batch = min(200, left)
    left -= batch
    await withTaskGroup(of: WebSocketConnection?.self) { group in
      for _ in 0..<batch {
        group.addTask {
          await withCheckedContinuation { continuation in
            var options = WebSocketClientOptions()
            options.socket.keepaliveIntervalMilliseconds = 0
            // The server may keep context if it likes to.
            if arguments.hasDeflate { options.socket.compression = DeflateOptions(receivesWithContext: true) }
            // The server's certificate is made for the measurement.
            options.tls.verification = .none
            WebSocketClient.connect(to: arguments.url, on: loop, options: options, handler: handler()) {
              result in
              if case .failure(let error) = result { print("connect failed: \(error)") }
              continuation.resume(returning: try? result.get())
            }
          }
        }
      }
      for await connection in group { if let connection { opened.append(connection) } }
    }
  }
  return opened
}

func close(_ connections: [WebSocketConnection]) async {
  loop.execute { for connection in connections { connection.close() } }
  try? await Task.sleep(for: .milliseconds(500))
}

/// Greets, and counts the replies.
final class Idler: WebSocketHandler, @unchecked Sendable {
  nonisolated(unsafe) static var replies = 0
  override func opened(_ connection: WebSocketConnection) {
    if let greeting = arguments.greeting { connection.send(greeting) }
  }
  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    Self.replies += 1
    // A push; replies have an id.
    if let fanOut, !message.starts(with: #"{"id""#.utf8) { fanOut.delivered() }
  }
  nonisolated(unsafe) var fanOut: FanOut?
}

print("server memory at start        \(server.residentKiB) KiB")
let idler = Idler()
let before = server.residentKiB
let cpuBefore = server.cpu
let began = nanoseconds()
let idle = await open(arguments.idle) { idler }
if arguments.idle > 0 {
  let seconds = Double(nanoseconds() - began) / 1e9
  try? await Task.sleep(for: .milliseconds(500))
  let cpu = server.cpu
  let used = (cpu.user + cpu.system - cpuBefore.user - cpuBefore.system) / Double(max(1, idle.count)) * 1e6
  let slope = Double(server.residentKiB - before) * 1024 / Double(max(1, idle.count))
  print("idle connections              \(idle.count) of \(arguments.idle), opened in \(round2(seconds)) s")
  print(
    "server CPU per connection     \(round2(used)) µs (accept, handshake\(arguments.greeting == nil ? "" : ", greeting"))"
  )
  print("server memory with them       \(server.residentKiB) KiB, \(Int(slope)) B a connection")
  if arguments.greeting != nil { print("replies to the greeting       \(Idler.replies)") }
}

for turn in 1...3 where arguments.churn > 0 {
  let guests = await open(arguments.churn) { idler }
  await close(guests)
  print("after churn \(turn)                 \(guests.count) opened and closed, \(server.residentKiB) KiB")
}

if arguments.fanOut > 0 {
  let fanOut = FanOut(subscribers: idle.count, size: arguments.fanOut)
  idler.fanOut = fanOut
  let publisher = await open(1) { fanOut }
  try? await Task.sleep(for: .seconds(1))
  loop.execute { fanOut.isMeasuring = true }
  let start = server.cpu
  let startedAt = nanoseconds()
  try? await Task.sleep(for: .seconds(arguments.seconds))
  let end = server.cpu
  let elapsed = Double(nanoseconds() - startedAt) / 1e9
  await withCheckedContinuation { continuation in
    loop.execute {
      fanOut.isStopping = true
      continuation.resume()
    }
  }
  let deliveries = Double(max(1, fanOut.deliveries))
  print("fan-out                       1 to \(idle.count), \(arguments.fanOut) B")
  print("deliveries per second         \(Int(deliveries / elapsed))")
  print(
    "server CPU per delivery       \(round3((end.user + end.system - start.user - start.system) / deliveries * 1e6)) µs"
      + ", user part \(round3((end.user - start.user) / deliveries * 1e6)) µs")
  await close(publisher)
}

if arguments.isCrowd {
  await runCrowd()
} else if arguments.connections > 0 {
  let load = EchoLoad(size: arguments.size, depth: arguments.depth, sendsText: arguments.sendsText)
  let busy = await open(arguments.connections) { load }
  if busy.count < arguments.connections { exit(1) }
  try? await Task.sleep(for: .seconds(1))
  loop.execute { load.isMeasuring = true }
  let start = server.cpu
  let startedAt = nanoseconds()
  try? await Task.sleep(for: .seconds(arguments.seconds))
  let end = server.cpu
  let elapsed = Double(nanoseconds() - startedAt) / 1e9
  await withCheckedContinuation { continuation in
    loop.execute {
      load.isStopping = true
      continuation.resume()
    }
  }
  let messages = Double(max(1, load.count))
  print(
    "echo                          \(busy.count) connections, \(arguments.size) B, \(arguments.depth) in flight"
  )
  print("messages per second           \(Int(messages / elapsed))")
  print(
    "round trip p50 / p99 / p99.9  \(round2(load.percentile(0.5))) / \(round2(load.percentile(0.99))) / \(round2(load.percentile(0.999))) µs"
  )
  print(
    "server CPU per message        \(round2((end.user + end.system - start.user - start.system) / messages * 1e6)) µs"
      + ", user part \(round2((end.user - start.user) / messages * 1e6)) µs")
  print("errors                        \(load.errors)")
  await close(busy)
  if load.errors > 0 { exit(1) }
}
await close(idle)
if arguments.idle > 0 { print("server memory at the end      \(server.residentKiB) KiB") }

func runCrowd() async {
  let port = arguments.url.split(separator: ":").last.flatMap { UInt16($0.prefix { $0 != "/" }) } ?? 0
  let post = arguments.post.flatMap { HTTPPost(port: port, target: $0, channel: arguments.channel) }
  let load = CrowdLoad(size: arguments.size, greeting: arguments.greeting, post: post)
  let crowd = await open(arguments.connections) { load }
  if crowd.count < arguments.connections { exit(1) }
  // Replies to the greeting.
  if arguments.greeting != nil { try? await Task.sleep(for: .seconds(2)) }
  loop.execute { load.begin(crowd) }
  try? await Task.sleep(for: .seconds(1))
  loop.execute { load.isMeasuring = true }
  let start = server.cpu
  try? await Task.sleep(for: .seconds(arguments.seconds))
  let end = server.cpu
  await withCheckedContinuation { continuation in
    loop.execute {
      load.isStopping = true
      continuation.resume()
    }
  }
  let count = Double(max(1, load.deliveries))
  print("deliveries                    \(load.deliveries) to \(crowd.count) connections, \(arguments.size) B")
  print(
    "server CPU per delivery       \(round2((end.user + end.system - start.user - start.system) / count * 1e6)) µs"
      + ", user part \(round2((end.user - start.user) / count * 1e6)) µs")
  print(
    "last delivery p50 / p99       \(round2(load.percentile(0.5))) / \(round2(load.percentile(0.99))) µs")
  print("errors                        \(load.errors)")
  if load.errors > 0 || load.deliveries == 0 { exit(1) }
  await close(crowd)
}

func round2(_ value: Double) -> Double { (value * 100).rounded() / 100 }

func round3(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
