import CLinux
import EventLoops

/// What the connections of one loop share: spare queues with their buffers, and room to describe a vectored write.
final class LoopTransport {
  /// Queues kept for the next connection that needs one.
  private static let spareQueueCount = 256

  let pieces: UnsafeMutableBufferPointer<iovec>
  private var firstSpare: OutboundQueue.Pointer?
  private var spareCount = 0
  /// Made with the loop's first TLS connection.
  private(set) lazy var tls = LoopTLS()

  init() {
    // IOV_MAX: what one call may take.
    pieces = .allocate(capacity: 1024)
    pieces.initialize(repeating: iovec())
  }

  deinit {
    pieces.deallocate()
    while firstSpare != nil { OutboundQueue.destroy(takeQueue()) }
  }

  func takeQueue() -> OutboundQueue.Pointer {
    guard let queue = firstSpare else { return OutboundQueue.make() }
    firstSpare = queue.pointee.nextSpare
    spareCount -= 1
    return queue
  }

  func giveBack(_ queue: OutboundQueue.Pointer) {
    guard spareCount < Self.spareQueueCount else { return OutboundQueue.destroy(queue) }
    queue.pointee.reset()
    queue.pointee.nextSpare = firstSpare
    firstSpare = queue
    spareCount += 1
  }
}

extension EventLoop {
  /// The transport's part of this loop, made at first use.
  var transport: LoopTransport {
    if let found = transportStorage { return unsafeDowncast(found, to: LoopTransport.self) }
    let made = LoopTransport()
    transportStorage = made
    return made
  }

  /// A queue for a connection that has something to write.
  func takeQueue() -> OutboundQueue.Pointer {
    guard let heldTransport else { return takeFirstQueue() }
    return heldTransport._withUnsafeGuaranteedRef { $0.takeQueue() }
  }

  @inline(never)
  private func takeFirstQueue() -> OutboundQueue.Pointer { transport.takeQueue() }

  /// Keeps an empty queue for the next connection.
  func giveBack(_ queue: OutboundQueue.Pointer) {
    guard let heldTransport else { return OutboundQueue.destroy(queue) }
    heldTransport._withUnsafeGuaranteedRef { $0.giveBack(queue) }
  }

  /// The loop holds it: each message passes here, and counting references took a tenth of an echo's instructions.
  private var heldTransport: Unmanaged<LoopTransport>? { transportPointer.map { Unmanaged.fromOpaque($0) } }
}
