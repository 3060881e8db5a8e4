import Dispatch
import Realtime
import WebSockets

// Parts of Martlet by themselves, in this process: no network.

print("decoding a masked text message of 64 B             \(nanoseconds(decode(count: 1, size: 64))) ns")
print("decoding a masked binary message of 64 KiB         \(nanoseconds(decode(count: 1, size: 65_536))) ns")
let fragmented = nanoseconds(decode(count: 1_024, size: 1_024))
print("decoding 1 MiB in 1,024 fragments                  \((fragmented / 1_000).rounded()) µs")
let loop = EventLoopGroup(loops: 1).loops[0]
let deliveries = DispatchSemaphore(value: 0)
for subscribers in [1_000, 100_000] {
  loop.execute {
    let each = fanOut(to: subscribers, on: loop)
    print("handing a publication to \(subscribers) subscribers, each   \(each) ns")
    deliveries.signal()
  }
  deliveries.wait()
}

/// The time of one call, in nanoseconds: the best of many rounds.
func nanoseconds(_ body: () -> Void) -> Double {
  body()
  var best = Duration.seconds(1)
  let start = ContinuousClock.now
  while ContinuousClock.now - start < .seconds(1) {
    let round = ContinuousClock().measure { for _ in 0..<16 { body() } }
    best = min(best, round / 16)
  }
  return (Double(best.components.attoseconds) / 1e8).rounded() / 10
}

/// Decodes a message of `count` fragments of `size` bytes, as a server.
func decode(count: Int, size: Int) -> () -> Void {
  let payload = [UInt8](repeating: UInt8(ascii: "x"), count: size)
  let frame = FrameEncoder.encodedCount(payloadCount: size, masked: true)
  var stream = [UInt8](repeating: 0, count: frame * count)
  stream.withUnsafeMutableBytes { stream in
    payload.withUnsafeBytes { payload in
      for index in 0..<count {
        _ = FrameEncoder.encode(
          opcode: index > 0 ? .continuation : size < 1_000 ? .text : .binary, isFinal: index == count - 1,
          payload: payload, maskingKey: 0,
          into: UnsafeMutableRawBufferPointer(rebasing: stream[(index * frame)...]))
      }
    }
  }
  let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: stream.count, alignment: 16)
  bytes.copyBytes(from: stream)
  // A key of zeros leaves the stream as it is, so that it can be decoded again.
  return {
    var decoder = MessageDecoder(role: .server)
    var input = bytes
    var messages = 0
    while let event = try? decoder.next(&input) {
      if case .message(_, let message) = event, message.count == size * count { messages += 1 }
    }
    precondition(messages == 1)
  }
}

/// What one delivery costs the hub, in nanoseconds.
func fanOut(to count: Int, on loop: EventLoop) -> Double {
  var options = NamespaceOptions()
  options.subscribe = .everyone
  let hub = Hub(
    loops: [loop], namespaces: Namespaces(default: options), encodings: [PlainEncoding()], wallClock: { 0 },
    randomBits: { 1 })
  let listeners = (0..<count).map { Listener(loop: loop, info: ClientInfo(client: "\($0)", user: "")) }
  for listener in listeners {
    hub.add(listener)
    hub.subscribe(listener, to: "news") { _ in }
  }
  let request = PublishRequest(data: SharedBytes.make(copying: Array("{}".utf8)))
  let time = nanoseconds { hub.publish(request, to: "news", as: .server) }
  precondition(listeners.allSatisfy { $0.count == listeners[0].count && $0.count > 0 })
  for listener in listeners { hub.remove(listener) }
  return (time / Double(count) * 10).rounded() / 10
}

private final class Listener: Subscriber {
  private(set) var count = 0
  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) { count += 1 }
}

private struct PlainEncoding: WireEncoding {
  func publication(_ publication: Publication, channel: String) -> SharedBytes { publication.data }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: []) }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: []) }
}
