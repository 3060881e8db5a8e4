import CLinux
import Synchronization

/// Event loops on threads of their own, usually one a core.
public final class EventLoopGroup: Sendable {
  /// One loop a core, started at first use and never stopped.
  public static let singleton = EventLoopGroup(loops: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))

  /// The loops, in the order of their indices.
  public let loops: [EventLoop]

  /// How the loops meet the kernel: never `automatic`.
  public let driver: EventLoopDriver

  /// Why `driver` is not the one that was asked for: the kernel's error (errno), as ENOSYS or EPERM where io_uring is
  /// missing or forbidden, EINVAL where the kernel is older than Linux 6.1. Nil when it is.
  public let driverRefusal: Int32?

  private let turn = Atomic<UInt>(0)
  private let threads: Mutex<[pthread_t]>

  /// Starts `loops` (at least 1) loops, each on its thread.
  ///
  /// - Parameter driver: how they meet the kernel. Where it refuses io_uring they use epoll, and `driverRefusal` says why.
  public init(loops count: Int, driver: EventLoopDriver = .automatic) {
    let made = driver.make(max(1, count))
    let loops = made.drivers.enumerated().map { EventLoop(index: $0.offset, driver: $0.element) }
    self.loops = loops
    self.driver = made.refusal == nil ? driver.resolved : .epoll
    driverRefusal = made.refusal
    threads = Mutex(loops.map(startThread))
  }

  /// Makes a group of loops that already run or are driven by the caller (simulation).
  package init(_ loops: [EventLoop]) {
    self.loops = loops
    driver = .epoll
    driverRefusal = nil
    threads = Mutex([])
  }

  /// A loop for new work: the caller's own if it runs on one of this group, else each in turn. Any thread.
  public func next() -> EventLoop {
    if let current = EventLoop.current, loops.indices.contains(current.index),
      loops[current.index] === current
    {
      return current
    }
    return loops[Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(loops.count))]
  }

  /// Stops all loops: their connections are closed and told so, and their threads end. Waits for the threads, unless it
  /// is called on one of the loops. What is posted to a loop afterwards never runs.
  public func shutdown() {
    let ending = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for loop in loops { loop.execute { loop.stopping = true } }
    if let current = EventLoop.current, loops.contains(where: { $0 === current }) {
      for thread in ending { pthread_detach(thread) }
    } else {
      for thread in ending { pthread_join(thread, nil) }
    }
  }
}

/// Starts the thread of a loop. Not inside a closure of an actor: the C entry must not inherit an isolation.
private nonisolated func startThread(_ loop: EventLoop) -> pthread_t {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(loop).toOpaque()
  let status = pthread_create(&thread, nil, runLoop, argument)
  precondition(status == 0, "The system gave no thread for an event loop (pthread_create: \(status)).")
  return thread
}

private nonisolated func runLoop(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  let loop = Unmanaged<EventLoop>.fromOpaque(argument).takeRetainedValue()
  clinux_name_thread("loop-\(loop.index)")
  loop.runUntilStopped()
  return nil
}
