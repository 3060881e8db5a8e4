import Bytes
import EventLoops

@testable import Gateways
@testable import Realtime

let protobufTargets = [
  FuzzTarget("protobuf-command", checkCommand),
  FuzzTarget("protobuf-session") { try checkSession(Array($0)) },
]

/// A field that nobody knows changes nothing.
private func checkCommand(_ input: UnsafeRawBufferPointer) throws {
  guard let command = try? ProtobufCommandDecoder.decode(input) else { return }
  let extended = Array(input) + [0x98, 0x06, 0x01]
  let again = try extended.withUnsafeBytes { try ProtobufCommandDecoder.decode($0) }
  try equal(describe(again), describe(command), "the command with one more field")
}

private func describe(_ command: CentrifugoCommand) -> String {
  switch command.request {
  case .publish(let channel, let data): "\(command.id) publish \(channel) \(data?.array ?? [])"
  case .send(let data): "\(command.id) send \(data.array)"
  case .rpc(let call): "\(command.id) rpc \(call.method) \(call.data.array)"
  case .connect(let connect):
    "\(command.id) connect \(connect.token) \(connect.data?.array ?? []) \(connect.channels) \(connect.headers)"
      + connect.positions.map { "\($0) \($1)" }.sorted().joined()
  case .subscribe(let subscribe):
    "\(command.id) subscribe \(subscribe.channel) \(subscribe.token) \(subscribe.position.debugDescription)"
      + "\(subscribe.flags) \(subscribe.data?.array ?? []) \(subscribe.consumer ?? "-")"
  default: "\(command)"
  }
}

/// Whatever a client says in Protobuf: it gets messages behind their lengths, and is gone when its connection is.
private func checkSession(_ input: [UInt8]) throws {
  let network = SimulatedNetwork()
  let loop = network.makeLoop()
  var open = NamespaceOptions()
  open.subscribe = .everyone
  open.publish = .everyone
  open.history = .everyone
  open.presence = .everyone
  open.historySize = 3
  open.historyTTLMilliseconds = 20_000
  open.allowsRecovery = true
  open.keepsPresence = true
  open.emitsJoinLeave = true
  let hub = Hub(
    loops: [loop], namespaces: Namespaces(default: open), encodings: [CentrifugoProtobufEncoding()],
    wallClock: { 0 }, randomBits: { 35 })
  var options = CentrifugoOptions(now: { 1_700_000_000 }, makeClientID: { "c" })
  options.allowsAnonymous = true
  let output = MessageList()
  let session = CentrifugoSession(
    SessionContext(hub, options, CentrifugoCounters()), encoding: 0, clientEncoding: .protobuf,
    loop: loop, output: output)
  loop.execute { input.withUnsafeBytes { session.received($0) } }
  network.runUntilIdle()
  for message in output.messages { try checkMessages(message) }
  loop.execute { session.closed() }
  network.runUntilIdle()
  try equal(hub.shards[0].clients.count, 0, "clients that are left")
}

private func checkMessages(_ bytes: [UInt8]) throws {
  try bytes.withUnsafeBytes { bytes in
    var reader = ProtobufReader(bytes)
    while !reader.isAtEnd {
      var message = ProtobufReader(try reader.nextDelimited())
      try message.readFields { (_, number) throws(ProtobufError) in
        if number > 15, number != MartletField.acknowledge { throw .badFieldNumber }
      }
    }
  }
}

private final class MessageList: CentrifugoOutput {
  var messages: [[UInt8]] = []

  func send(_ message: [UInt8], as encoding: ClientEncoding) -> Bool {
    messages.append(message)
    return true
  }

  func send(frame: SharedBytes) -> Bool {
    let bytes = frame.array
    return send(Array(bytes.dropFirst(bytes[1] == 126 ? 4 : bytes[1] == 127 ? 10 : 2)), as: .protobuf)
  }

  func close(_ disconnect: Disconnect) {}
  func pauseReading() {}
  func resumeReading() {}
}
