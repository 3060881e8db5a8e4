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

  /// Takes a request's commands, one a line; `perform` gets those whose turn has come.
  mutating func take(_ text: UnsafeRawBufferPointer, perform: (UnsafeRawBufferPointer) -> Void) {
    var heldBefore: UInt64?
    for slice in text.split(separator: UInt8(ascii: "\n")) {
      let line = UnsafeRawBufferPointer(rebasing: slice)
      guard let id = Self.identifier(of: line) else {
        if let heldBefore { hold(line, heldBefore) } else { perform(line) }
        continue
      }
      switch place(id) {
      case .now:
        perform(line)
        performReady(perform)
        heldBefore = nil
      case .later:
        hold(line, id)
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

  private mutating func hold(_ line: UnsafeRawBufferPointer, _ id: UInt64) {
    heldBytes += line.count + 1
    held[id, default: []] += line
    held[id]?.append(UInt8(ascii: "\n"))
  }

  private mutating func performReady(_ perform: (UnsafeRawBufferPointer) -> Void) {
    while let id = next, let text = held.removeValue(forKey: id) {
      heldBytes -= text.count
      next = id + 1
      text.withUnsafeBytes(perform)
    }
  }

  /// The command's `id`; nil for one that wants no reply, and for what is none: the session will say so.
  private static func identifier(of line: UnsafeRawBufferPointer) -> UInt64? {
    var reader = JSONReader(line)
    var id: UInt64?
    do {
      try reader.readObject { (reader, key) throws(JSONError) in
        if key == "id" { id = try reader.readUInt64() }
      }
    } catch {
      return nil
    }
    return id.flatMap { $0 == 0 || $0 > UInt64(UInt32.max) ? nil : $0 }
  }
}
