import CLinux

/// Asks the processor to bring memory into its caches, without waiting for it. Any address will do.
///
/// A loop with a thousand connections finds little of what belongs to one of them in the caches, and would wait for each piece
/// of it in turn. The driver knows from the list of events who is next, and has it brought while the kernel works for the
/// connections before.
package func prefetch(_ start: UnsafeRawPointer, byteCount: Int) {
  for offset in stride(from: 0, to: byteCount, by: 64) { clinux_prefetch(start + offset) }
  clinux_prefetch(start + (byteCount - 1))
}

extension Unmanaged {
  /// Has the first 128 bytes of an object brought into the caches.
  package func prefetch() { EventLoops.prefetch(toOpaque(), byteCount: 128) }
}

extension EpollDriver {
  /// Below so many sockets the caches hold most of what belongs to them, and to ask for it takes longer than it saves.
  static let crowdCount = 256
  /// A connection, its protocol, who handles that, and its task.
  private static let depth = 3

  /// Asks for what the events behind `index` will need: each object once there has been time for what refers to it.
  func prefetch(behind index: Int, end: Int) {
    let farthest = index + Self.depth + 2
    if farthest < end, let slot = slot(of: farthest) { clinux_prefetch(slot) }
    if farthest - 1 < end { slot(of: farthest - 1)?.pointee.target?.prefetch() }
    for depth in 1...Self.depth where farthest - 1 - depth < end {
      slot(of: farthest - 1 - depth)?.pointee.target?._withUnsafeGuaranteedRef { $0.prefetch(depth: depth) }
    }
  }

  /// Where the registration was when the kernel reported the event; it may be another's by now.
  private func slot(of event: Int) -> UnsafeMutablePointer<Slot>? {
    let index = Int(RegistrationID(bits: clinux_event_data(events + event)).index)
    return index < table.count ? slots + index : nil
  }
}
