import CLinux

/// A network in memory, with its own time, for tests: loops that are driven by the test's thread, sockets that split
/// reads and writes and fail as told. Nothing here is safe for several threads.
package final class SimulatedNetwork {
  /// What happens to a connect to an address where no simulated loop listens.
  package enum ConnectScript {
    /// It fails with this errno.
    case fails(Int32)
    /// Nothing is ever heard.
    case silent
    /// It succeeds; the closure gets the other end.
    case succeeds((SimulatedSocket) -> Void)
  }

  /// What drivers share; it does not hold the loops, so that they can be freed.
  final class State {
    var now: UInt64 = 1_000_000
    var connectScripts: [SocketAddress: ConnectScript] = [:]
    var acceptErrors: [Int32] = []
    var listeners: [SocketAddress: (driver: SimulatedDriver, id: RegistrationID)] = [:]
    private var lastPort: UInt16 = 40_000

    func nextPort() -> UInt16 {
      lastPort &+= 1
      return lastPort
    }

    /// The source with a port of its own; an address of loopback where there is none.
    func near(_ source: SocketAddress?) -> SocketAddress {
      let source = source ?? .loopback(port: 0)
      return source.port == 0 ? source.with(port: nextPort()) : source
    }

    func connect(to address: SocketAddress, from source: SocketAddress) -> SimulatedSocket? {
      guard let listener = listeners[address] else { return nil }
      let (near, far) = SimulatedSocket.pair(near: source, far: address)
      listener.driver.addPending(far, to: listener.id)
      return near
    }
  }

  package private(set) var loops: [EventLoop] = []
  private let state = State()

  /// The virtual time in milliseconds.
  package private(set) var now: UInt64 {
    get { state.now }
    set { state.now = newValue }
  }

  /// What connects meet, by address; refused where nothing is said.
  package var connectScripts: [SocketAddress: ConnectScript] {
    get { state.connectScripts }
    set { state.connectScripts = newValue }
  }

  /// Errors (errno) for the next accepts, one each.
  package var acceptErrors: [Int32] {
    get { state.acceptErrors }
    set { state.acceptErrors = newValue }
  }

  package init() {}

  /// The loops end as those with a thread do: what their sockets and timers hold holds them in turn.
  deinit {
    state.connectScripts = [:]
    for loop in loops { loop.end() }
  }

  /// A loop driven by the calling thread.
  package func makeLoop() -> EventLoop {
    let loop = EventLoop(index: loops.count, driver: SimulatedDriver(network: state), drivenByCaller: true)
    loops.append(loop)
    return loop
  }

  /// Connects to a listener on a simulated loop; the test holds the returned end. Nil: nobody listens.
  package func connect(to address: SocketAddress, from source: SocketAddress? = nil) -> SimulatedSocket? {
    state.connect(to: address, from: state.near(source))
  }

  /// Turns all loops until none has anything to do now.
  package func runUntilIdle() {
    var turns = 0
    while loops.contains(where: { $0.isReadyNow }) {
      for loop in loops where loop.isReadyNow { loop.turn() }
      turns += 1
      precondition(turns < 10_000_000, "The simulation does not come to rest.")
    }
  }

  /// Lets time pass in the middle of a turn, as work does.
  package func spend(milliseconds: UInt64) { now += milliseconds }

  /// Lets time pass, timer by timer.
  package func advance(milliseconds: UInt64) {
    let end = now + milliseconds
    runUntilIdle()
    while let next = loops.compactMap({ $0.timers.nextTime }).min(), next <= end {
      now = max(now, next)
      for loop in loops { loop.turn() }
      runUntilIdle()
    }
    now = end
    for loop in loops { loop.turn() }
    runUntilIdle()
  }
}

extension EventLoop {
  /// How many timers are set.
  package var timerCount: Int { timers.count }

  /// Whether a turn would do something without time passing. Simulated loops only.
  package var isReadyNow: Bool {
    guard let driver = driver as? SimulatedDriver else { return false }
    return !local.isEmpty || isToWrite || !mailbox.isEmpty || driver.isReady
      || timers.nextTime.map { $0 <= driver.currentMilliseconds() } == true
  }
}

/// One end of a connection in memory. Tests use the end that no loop has.
package final class SimulatedSocket {
  package let address: SocketAddress
  package private(set) weak var other: SimulatedSocket?
  /// Bytes that arrived and were not read.
  package internal(set) var inbox: [UInt8] = []
  /// The other side has ended.
  package internal(set) var endReceived = false
  /// The connection is broken: errno.
  package internal(set) var error: Int32 = 0
  var endSent = false
  private var keptOther: SimulatedSocket?

  // MARK: scripts for the end that a loop has

  /// At most this many bytes are delivered at once.
  package var readPieceByteCount = Int.max
  /// Sizes of the next deliveries; then `readPieceByteCount` again.
  package var readSizes: [Int] = []
  /// At most this many bytes are taken by one write; the rest is pending.
  package var writePieceByteCount = Int.max
  /// Sizes the next writes take; then `writePieceByteCount` again. 0 leaves a write pending.
  package var writeSizes: [Int] = []
  /// How many bytes will be taken until the window is widened; nil for any number.
  package var writeWindow: Int?
  /// The next write fails with this errno.
  package var nextWriteError: Int32 = 0
  /// How many bytes each write call took.
  package internal(set) var writes: [Int] = []

  init(_ address: SocketAddress) { self.address = address }

  static func pair(near: SocketAddress, far: SocketAddress) -> (SimulatedSocket, SimulatedSocket) {
    let (one, two) = (SimulatedSocket(near), SimulatedSocket(far))
    // One strong direction: the end that the test or the connecting loop holds keeps the other.
    (one.other, two.other) = (two, one)
    one.keptOther = two
    return (one, two)
  }

  /// Sends bytes to the other end.
  package func send(_ bytes: some Sequence<UInt8>) { other?.inbox.append(contentsOf: bytes) }

  /// Takes what has arrived.
  package func takeReceived() -> [UInt8] {
    defer { inbox = [] }
    return inbox
  }

  /// Ends this side.
  package func end() {
    endSent = true
    other?.endReceived = true
  }

  /// Breaks the connection: the other end sees ECONNRESET, or `error`.
  package func reset(_ error: Int32 = ECONNRESET) { other?.error = error }

  /// What a write of `count` bytes takes now.
  func takeable(_ count: Int) -> Int {
    var limit = min(count, writeSizes.isEmpty ? writePieceByteCount : writeSizes.removeFirst())
    if let writeWindow { limit = min(limit, writeWindow) }
    if writeWindow != nil { writeWindow? -= limit }
    return limit
  }
}
