import Bytes
import EventLoops
import JSON
import Realtime

/// Spells what a session says for a client that only listens: pushes without their wrapping, replies as the pushes that tell
/// the same. Pings are passed on, and answered here: whether the client is there shows when bytes pile up.
///
/// The forms are those of ``ReplyEncoder``, which writes them; nothing here comes from a client.
final class UnidirectionalOutput: CentrifugoOutput, @unchecked Sendable {
  private let base: any CentrifugoOutput
  /// The session holds this.
  weak var session: CentrifugoSession?
  private var request: UnidirectionalRequest?

  init(_ base: any CentrifugoOutput) { self.base = base }

  /// Says to the session what the client would. What the client says later does not count.
  func begin(_ request: UnidirectionalRequest) {
    guard self.request == nil else { return }
    self.request = request
    // Each gets a subscribe command of its own, so that the client is told of each.
    session?.honoursWishes = false
    perform(request.connectCommand)
  }

  private func perform(_ command: [UInt8]) { command.withUnsafeBytes { session?.received($0) } }

  /// Later: a session is not told anything while it speaks.
  private func soon(_ body: @escaping @Sendable () -> Void) { session?.loop.execute(body) }

  // MARK: Output

  func send(frame: SharedBytes) -> Bool { frame.withPayload { send(Array($0), as: .json) } }

  func send(_ text: [UInt8], as encoding: ClientEncoding) -> Bool {
    if let push = text.unwrapped("{\"push\":") { return base.send(push, as: encoding) }
    if text.count == 2 {
      soon { [self] in perform(text) }
      return base.send(text, as: encoding)
    }
    return reply(text)
  }

  func isBackedUp(beyond byteCount: Int) -> Bool { base.isBackedUp(beyond: byteCount) }
  func close(_ disconnect: Disconnect) { base.close(disconnect) }
  func pauseReading() { base.pauseReading() }
  func resumeReading() { base.resumeReading() }

  // MARK: Replies

  private func reply(_ text: [UInt8]) -> Bool {
    var id = 0
    var error: CommandError?
    var result: (isConnect: Bool, json: [UInt8])?
    text.withUnsafeBytes { bytes in
      var reader = JSONReader(bytes)
      try? reader.readObject { (reader, key) throws(JSONError) in
        switch key {
        case "id": id = Int(clamping: try reader.readUInt64())
        case "error": error = try reader.readError()
        case "connect": result = (true, Array(try reader.readRaw()))
        case "subscribe": result = (false, Array(try reader.readRaw()))
        default: break
        }
      }
    }
    if let error { return refused(id, error) }
    guard let result else { return true }
    if !result.isConnect { return tell(id, "subscribe", result.json) }
    soon { [self] in for command in request?.subscribeCommands ?? [] { perform(command) } }
    return base.send(Array("{\"connect\":".utf8) + result.json + Array("}".utf8), as: .json)
  }

  private func refused(_ id: Int, _ error: CommandError) -> Bool {
    guard id >= UnidirectionalRequest.firstSubscribeID else {
      let code: Disconnect = error.code == CommandError.tokenExpired.code ? .expired : .refused(error)
      soon { [self] in session?.close(code) }
      return true
    }
    // By its token the client has the channel already.
    if error.code == CommandError.alreadySubscribed.code { return true }
    var json = JSONWriter()
    json.beginObject()
    json.member("code", error.code)
    json.member("reason", error.message)
    json.endObject()
    return tell(id, "unsubscribe", json.bytes)
  }

  /// `{"channel":…,"<kind>":…}`.
  private func tell(_ id: Int, _ kind: StaticString, _ value: [UInt8]) -> Bool {
    let index = id - UnidirectionalRequest.firstSubscribeID
    guard let request, request.channels.indices.contains(index) else { return true }
    var json = JSONWriter()
    json.beginObject()
    json.member("channel", request.channels[index].name)
    json.key(kind)
    json.raw(value)
    json.endObject()
    return base.send(json.bytes, as: .json)
  }
}

extension Disconnect {
  /// A client that cannot hear error replies was refused.
  fileprivate static func refused(_ error: CommandError) -> Disconnect {
    error.isTemporary
      ? Disconnect(code: 3004, reason: error.message) : Disconnect(code: 3507, reason: error.message)
  }
}

extension [UInt8] {
  /// What is between `prefix` and the last byte.
  fileprivate func unwrapped(_ prefix: String) -> [UInt8]? {
    starts(with: prefix.utf8) ? Array(dropFirst(prefix.utf8.count).dropLast()) : nil
  }
}

extension JSONReader {
  /// `{"code":…,"message":…}`.
  fileprivate mutating func readError() throws(JSONError) -> CommandError {
    var code: UInt32 = 0
    var message = ""
    var isTemporary = false
    try readObject { (reader, key) throws(JSONError) in
      switch key {
      case "code": code = UInt32(clamping: try reader.readUInt64())
      case "message": message = try reader.readString()
      case "temporary": isTemporary = try reader.readBool()
      default: break
      }
    }
    return CommandError(code: code, message: message, isTemporary: isTemporary)
  }
}
