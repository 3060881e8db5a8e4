import Bytes
import JSON

@testable import Gateways

let transportTargets = [
  FuzzTarget("transport-requests", checkRequests),
  FuzzTarget("command-order", checkOrder),
  FuzzTarget("command-order-protobuf", checkProtobufOrder),
  FuzzTarget("emulation-request-protobuf", checkProtobufRequest),
]

/// What is taken for a request is JSON, and what is made of it, too.
private func checkRequests(_ input: UnsafeRawBufferPointer) throws {
  let isTaken = [
    (try? EmulationRequest(input)) != nil, (try? PollRequest(input)) != nil,
    (try? TunnelRequest(input)) != nil,
  ]
  if isTaken.contains(true) { try JSONText.validate(input) }
  guard var request = try? UnidirectionalRequest(json: input) else { return }
  request.authorize("token")
  for command in [request.connectCommand] + request.subscribeCommands {
    // A command is two levels deeper than what it holds.
    try command.withUnsafeBytes { try JSONText.validate($0, maximumDepth: 130) }
    // So that a line is a command.
    try hold(!command.contains(UInt8(ascii: "\n")), "no line break")
  }
}

/// Requests are separated by zero bytes. In whatever order commands come, each is performed once, and those with an
/// identifier that were held come in the order of their identifiers.
private func checkOrder(_ input: UnsafeRawBufferPointer) throws {
  var order = CommandOrder()
  var count = 0
  var lines = 0
  let perform = { (text: UnsafeRawBufferPointer) in count += text.split(separator: UInt8(ascii: "\n")).count }
  for part in input.split(separator: 0) {
    lines += part.split(separator: UInt8(ascii: "\n")).count
    order.take(UnsafeRawBufferPointer(rebasing: part), perform: perform)
    try hold(count <= lines, "no more than came")
  }
  var rounds = 0
  while order.isWaiting, rounds <= lines {
    order.skip(perform)
    rounds += 1
  }
  try hold(!order.isWaiting, "nothing waits for ever")
  try hold(UInt64(count) + order.repeatedCount == UInt64(lines), "each is performed, or is a repeat")
}

/// The same for commands behind their lengths, which come in two requests: the first is as long as the first byte says.
private func checkProtobufOrder(_ input: UnsafeRawBufferPointer) throws {
  guard let first = input.first else { return }
  let commands = UnsafeRawBufferPointer(rebasing: input.dropFirst())
  let end = min(Int(first), commands.count)
  var order = CommandOrder(.protobuf)
  var performed: [UInt8] = []
  for range in [0..<end, end..<commands.count] {
    order.take(UnsafeRawBufferPointer(rebasing: commands[range])) { performed += $0 }
  }
  try hold(performed.count <= commands.count, "no more than came")
  for _ in commands where order.isWaiting { order.skip { performed += $0 } }
  try hold(!order.isWaiting, "nothing waits for ever")
  let isAll = performed.count == commands.count
  try hold(isAll == (order.repeatedCount == 0), "each is performed, or is a repeat")
}

/// What was read fits into what came.
private func checkProtobufRequest(_ input: UnsafeRawBufferPointer) throws {
  guard let request = try? EmulationRequest(protobuf: input) else { return }
  let count = request.session.utf8.count + request.node.utf8.count + request.data.count
  try hold(count <= input.count, "no more than came")
}
