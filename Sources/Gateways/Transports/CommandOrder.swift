import Bytes
import JSON

/// Puts the commands of a session that come by several requests, which may overtake each other, into the order of their
/// identifiers. One that comes twice, because a browser or a proxy has sent its request again, counts once.
struct CommandOrder {
  /// Commands that may wait for earlier ones, and their bytes. Beyond that the earlier ones are not waited for.
  static let maximumHeldCommands = 128
  static let maximumHeldBytes = 65_536
  /// Identifiers that were passed over and may still come.
  private static let maximumSkipped = 256

  /// How the commands are spelled.
  private let encoding: ClientEncoding
  /// What is expected next; nil before the first command.
  private var next: UInt64?
  /// Commands that came too early, each with those without an identifier that came behind it in the same request.
  private var held: [UInt64: [UInt8]] = [:]
  private var heldBytes = 0
  private var skipped: Set<UInt64> = []
  /// How many came twice.
  private(set) var repeatedCount: UInt64 = 0

  /// Whether commands wait for earlier ones.
  var isWaiting: Bool { !held.isEmpty }

  init(_ encoding: ClientEncoding = .json) { self.encoding = encoding }

  /// Takes a request's commands; `perform` gets those whose turn has come.
  mutating func take(_ commands: UnsafeRawBufferPointer, perform: (UnsafeRawBufferPointer) -> Void) {
    var heldBefore: UInt64?
    for command in encoding.split(commands) {
      guard let id = encoding.identifier(of: command) else {
        if let heldBefore { hold(command, heldBefore) } else { perform(command) }
        continue
      }
      switch place(id) {
      case .now:
        perform(command)
        performReady(perform)
        heldBefore = nil
      case .later:
        hold(command, id)
        heldBefore = id
      case .never:
        repeatedCount += 1
      }
    }
    while held.count > Self.maximumHeldCommands || heldBytes > Self.maximumHeldBytes { skip(perform) }
  }

  /// Waits no longer for what is missing.
  mutating func skip(_ perform: (UnsafeRawBufferPointer) -> Void) {
    guard let first = held.keys.min(), let next else { return }
    for id in next..<first {
      guard skipped.count < Self.maximumSkipped else { break }
      skipped.insert(id)
    }
    self.next = first
    performReady(perform)
  }

  private enum Place { case now, later, never }

  private mutating func place(_ id: UInt64) -> Place {
    guard let next, id != next else {
      next = id + 1
      return .now
    }
    if id > next { return held[id] == nil ? .later : .never }
    return skipped.remove(id) == nil ? .never : .now
  }

  private mutating func hold(_ command: UnsafeRawBufferPointer, _ id: UInt64) {
    let end: [UInt8] = encoding == .json ? [UInt8(ascii: "\n")] : []
    heldBytes += command.count + end.count
    held[id, default: []] += command
    held[id]? += end
  }

  private mutating func performReady(_ perform: (UnsafeRawBufferPointer) -> Void) {
    while let id = next, let text = held.removeValue(forKey: id) {
      heldBytes -= text.count
      next = id + 1
      text.withUnsafeBytes(perform)
    }
  }
}

extension ClientEncoding {
  /// The commands of a message, each as it would stand alone. What is cut off comes as it is: the session will say so.
  fileprivate func split(_ message: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
    switch self {
    case .json:
      return message.split(separator: UInt8(ascii: "\n")).map(UnsafeRawBufferPointer.init(rebasing:))
    case .protobuf:
      var reader = ProtobufReader(message)
      var commands: [UnsafeRawBufferPointer] = []
      while !reader.isAtEnd {
        let start = reader.position
        let isWhole = (try? reader.nextDelimited()) != nil
        commands.append(
          UnsafeRawBufferPointer(rebasing: message[start..<(isWhole ? reader.position : message.count)]))
        if !isWhole { break }
      }
      return commands
    }
  }

  /// A command's `id`; nil for one that wants no reply, and for what is none: the session will say so.
  fileprivate func identifier(of command: UnsafeRawBufferPointer) -> UInt64? {
    let id = self == .json ? identifier(ofJSON: command) : identifier(ofProtobuf: command)
    return id == 0 ? nil : id
  }

  private func identifier(ofJSON command: UnsafeRawBufferPointer) -> UInt64? {
    var reader = JSONReader(command)
    var id: UInt64?
    do {
      try reader.readObject { (reader, key) throws(JSONError) in
        if key == "id" { id = try reader.readUInt64() }
      }
    } catch {
      return nil
    }
    return id.flatMap { $0 > UInt64(UInt32.max) ? nil : $0 }
  }

  private func identifier(ofProtobuf command: UnsafeRawBufferPointer) -> UInt64? {
    var reader = ProtobufReader(command)
    var id: UInt64?
    do {
      var fields = ProtobufReader(try reader.nextDelimited())
      try fields.readFields { (reader, number) throws(ProtobufError) in
        if number == 1 { id = UInt64(UInt32(truncatingIfNeeded: try reader.readVarint())) }
      }
    } catch {
      return nil
    }
    return id
  }
}
