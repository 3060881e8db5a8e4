import EventLoops

/// The sessions that are spoken to by requests of their own, by their identifiers, on each loop.
///
/// An identifier begins with the number of its session's loop: so every loop keeps its own sessions, and no lock is needed to
/// find one.
final class SessionDirectory: Sendable {
  /// The sessions of one loop. Loop-confined.
  final class Shelf: @unchecked Sendable {
    var sessions: [String: EmulatedSession] = [:]
    var tunnels: [String: TunnelSession] = [:]
    /// How many of them are of long-polling.
    var pollCount = 0
  }

  private let loops: [EventLoop]
  private let shelves: [Shelf]

  init(loops: [EventLoop]) {
    self.loops = loops
    shelves = loops.map { _ in Shelf() }
  }

  /// The sessions of a loop; for that loop only.
  func shelf(of loop: EventLoop) -> Shelf { shelves[index(of: loop)] }

  /// An identifier for a session on a loop.
  func identifier(on loop: EventLoop, _ secret: String) -> String { "\(index(of: loop))-\(secret)" }

  private func index(of loop: EventLoop) -> Int {
    guard let index = loops.firstIndex(where: { $0 === loop }) else {
      preconditionFailure("the transports serve on the hub's loops")
    }
    return index
  }

  /// Calls `body` with the session of that name, on the session's loop, or with nil, here.
  func find(_ id: String, _ body: @escaping @Sendable (EmulatedSession?) -> Void) {
    find(id) { body($0?.sessions[id]) }
  }

  /// The same for tunnels.
  func findTunnel(_ id: String, _ body: @escaping @Sendable (TunnelSession?) -> Void) {
    find(id) { body($0?.tunnels[id]) }
  }

  private func find(_ id: String, _ body: @escaping @Sendable (Shelf?) -> Void) {
    guard id.utf8.count <= 128, let dash = id.firstIndex(of: "-"), let index = Int(id[..<dash]),
      loops.indices.contains(index)
    else { return body(nil) }
    let shelf = shelves[index]
    loops[index].execute { body(shelf) }
  }
}
