import Glibc
import JSON
import WebSocketCore
import WebSockets

/// A subscriber by the Centrifugo protocol: lines of JSON. Publications are found by their mark, without reading the JSON
/// around it.
final class CentrifugoSubscriber: FanOutSubscriber, @unchecked Sendable {
  private let greeting: [UInt8]
  private var isSubscribed = false

  init(_ fanOut: FanOutLane, greeting: [UInt8]) {
    self.greeting = greeting
    super.init(fanOut, isMember: true)
  }

  /// The commands that connect and subscribe, as one message.
  static func greeting(channel: String, token: String?) -> [UInt8] {
    var connect = JSONWriter()
    connect.beginObject()
    connect.key("id")
    connect.number(1)
    connect.key("connect")
    connect.beginObject()
    if let token {
      connect.key("token")
      connect.string(token)
    }
    connect.endObject()
    connect.endObject()
    var subscribe = JSONWriter()
    subscribe.beginObject()
    subscribe.key("id")
    subscribe.number(2)
    subscribe.key("subscribe")
    subscribe.beginObject()
    subscribe.key("channel")
    subscribe.string(channel)
    subscribe.endObject()
    subscribe.endObject()
    return connect.bytes + [UInt8(ascii: "\n")] + subscribe.bytes
  }

  override func start(_ connection: WebSocketConnection) {
    _ = greeting.withUnsafeBytes { connection.send($0, .text) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    let now = MonotonicClock.nanoseconds
    var rest = message
    while let start = rest.baseAddress, !rest.isEmpty {
      let end = memchr(start, 0x0A, rest.count).map { UnsafeRawPointer($0) - start } ?? rest.count
      take(line: UnsafeRawBufferPointer(rebasing: rest[..<end]), now: now, on: connection)
      rest = UnsafeRawBufferPointer(rebasing: rest[min(end + 1, rest.count)...])
    }
  }

  @inline(__always)
  private func take(line: UnsafeRawBufferPointer, now: UInt64, on connection: WebSocketConnection) {
    if isSubscribed, let place = find(fanOut.prefix, in: line) {
      return take(UnsafeRawBufferPointer(rebasing: line[place...]), now: now)
    }
    takeOther(line, on: connection)
  }

  /// A ping, or a reply.
  private func takeOther(_ line: UnsafeRawBufferPointer, on connection: WebSocketConnection) {
    if line.elementsEqual("{}".utf8) {
      connection.send("{}")
      return
    }
    // Replies to publish commands say nothing new, unless they are errors.
    guard !isSubscribed || find(Self.error, in: line) != nil || find(Self.disconnect, in: line) != nil,
      let reply = try? JSONValue(parsing: Array(line))
    else { return }
    if let error = reply["error"] {
      lane.errors.add(
        "the server says: \(error["message"]?.stringValue ?? "error") (\(error["code"]?.intValue ?? 0))")
    } else if let end = reply["push"]?["disconnect"] ?? reply["disconnect"] {
      lane.errors.add("the server says: \(end["reason"]?.stringValue ?? "disconnect")")
    } else if reply["subscribe"] != nil {
      isSubscribed = true
      becameReady()
    }
  }

  private static let error = Array("\"error\"".utf8)
  private static let disconnect = Array("\"disconnect\"".utf8)

  /// Where `needle` begins in `line`.
  @inline(__always)
  private func find(_ needle: [UInt8], in line: UnsafeRawBufferPointer) -> Int? {
    guard let start = line.baseAddress else { return nil }
    return needle.withUnsafeBytes { bytes in
      guard let wanted = bytes.baseAddress, let first = bytes.first else { return nil }
      var place = 0
      while line.count - place >= bytes.count,
        let found = memchr(start + place, Int32(first), line.count - place - bytes.count + 1)
      {
        place = UnsafeRawPointer(found) - start
        if memcmp(found, wanted, bytes.count) == 0 { return place }
        place += 1
      }
      return nil
    }
  }
}
