import CLinux
import EventLoops

/// What the connections of one loop share: spare queues with their buffers, and room to describe a vectored write.
final class LoopTransport {
  /// Queues kept for the next connection that needs one.
  private static let spareQueueCount = 256

  let pieces: UnsafeMutableBufferPointer<iovec>
  private var spareQueues: [OutboundQueue] = []
  /// Made with the loop's first TLS connection.
  private(set) lazy var tls = LoopTLS()

  init() {
    // IOV_MAX: what one call may take.
    pieces = .allocate(capacity: 1024)
    pieces.initialize(repeating: iovec())
  }

  deinit { pieces.deallocate() }

  func takeQueue() -> OutboundQueue { spareQueues.popLast() ?? OutboundQueue() }

  func giveBack(_ queue: OutboundQueue) {
    queue.reset()
    if spareQueues.count < Self.spareQueueCount { spareQueues.append(queue) }
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
}
