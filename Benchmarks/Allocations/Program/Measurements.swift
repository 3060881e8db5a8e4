import Bytes
import EventLoops
import Realtime
import WebSockets

extension Bench {
  private static let text = [UInt8](repeating: 0x61, count: 64)
  private static let binary = [UInt8](repeating: 1, count: 1_000)

  /// What the WebSocketHandler path costs.
  func measureHandlers() async {
    let peer = Peer(port: server.port)
    report("echo of a text message of 64 B, handler") {
      peer.exchange(clientFrame(0x81, Self.text), answer: 66, times: $0)
    }
    report("echo of a binary message of 1,000 B, handler") {
      peer.exchange(clientFrame(0x82, Self.binary), answer: 1_004, times: $0)
    }
    report("echo of one of 16 messages in one read, handler", units: 16) {
      let frames = Array(repeatElement(clientFrame(0x81, Self.text), count: 16).joined())
      peer.exchange(frames, answer: 16 * 66, times: $0)
    }
    report("answer to a ping") {
      peer.exchange(clientFrame(0x89, [1, 2, 3, 4]), answer: 6, times: $0)
    }
    report("echo of a message in two fragments, handler") {
      let frames = clientFrame(0x01, Self.text) + clientFrame(0x80, Self.text)
      peer.exchange(frames, answer: 2 + 128 + 2, times: $0)
    }
    let deflating = Peer(
      port: server.port, fields: "Sec-WebSocket-Extensions: permessage-deflate\r\n")
    // “Hello” by the example of RFC 7692 §7.2.3.2. It is answered as it is: compressed it would be longer.
    report("echo of a compressed message, handler") {
      deflating.exchange(
        clientFrame(0xC1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]), answer: 7, times: $0)
    }
  }

  /// What a task on the loop costs: `for try await message in socket`.
  func measureTasks() async {
    let peer = Peer(port: tasks.port)
    report("echo of a text message of 64 B, async/await") {
      peer.exchange(clientFrame(0x81, Self.text), answer: 66, times: $0)
    }
    report("echo of one of 16 messages in one read, async/await", units: 16) {
      let frames = Array(repeatElement(clientFrame(0x81, Self.text), count: 16).joined())
      peer.exchange(frames, answer: 16 * 66, times: $0)
    }
  }

  /// A frame that was prepared once, to many connections.
  func measureBroadcast() async {
    let peers = (0..<50).map { _ in Peer(port: server.port, path: "/listen") }
    let audience = audience
    while onLoop({ audience.connections.count }) < peers.count {}
    let message = PreparedMessage(String(repeating: "a", count: 64))
    report("delivery of a prepared message", units: peers.count) { times in
      for _ in 0..<times {
        loop.execute { for connection in audience.connections { connection.send(message) } }
        for peer in peers { peer.receive(66) }
      }
    }
  }

  /// A publication in a channel with many subscribers, without their connections.
  func measureHub() {
    let loop = loop
    let hub = onLoop { Self.makeHub(loop, subscribers: 1_000) }
    let request = PublishRequest(data: SharedBytes.make(copying: Array("{}".utf8)))
    let publish = { (times: Int) in
      onLoop { for _ in 0..<times { hub.publish(request, to: "news", as: .server) } }
    }
    report("publication in a channel of 1,000 subscribers", publish)
    report("delivery to one of 1,000 subscribers", units: 1_000, publish)
  }

  private static func makeHub(_ loop: EventLoop, subscribers: Int) -> Hub {
    var options = NamespaceOptions()
    options.subscribe = .everyone
    let hub = Hub(
      loops: [loop], namespaces: Namespaces(default: options), encodings: [PlainEncoding()], wallClock: { 0 },
      randomBits: { 1 })
    for number in 0..<subscribers {
      let subscriber = Subscriber(loop: loop, info: ClientInfo(client: "\(number)", user: ""))
      hub.add(subscriber)
      hub.subscribe(subscriber, to: "news") { _ in }
    }
    return hub
  }
}

private struct PlainEncoding: WireEncoding {
  func publication(_ publication: Publication, channel: String) -> SharedBytes { publication.data }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: []) }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: []) }
}
