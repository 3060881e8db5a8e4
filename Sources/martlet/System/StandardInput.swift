import Glibc
import Synchronization

/// The lines of standard input. A thread of its own reads them, because reading a terminal blocks; it stays at most
/// `capacity` lines ahead.
final class StandardInput: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  private static let capacity = 64

  private let lines: AsyncStream<[UInt8]>
  private let room: Room

  init() {
    let (lines, continuation) = AsyncStream<[UInt8]>.makeStream()
    let room = Room(Self.capacity)
    self.lines = lines
    self.room = room
    startReading { line in
      guard let line else { return continuation.finish() }
      room.take()
      continuation.yield(line)
    }
  }

  func makeAsyncIterator() -> Iterator { Iterator(lines: lines.makeAsyncIterator(), room: room) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate var lines: AsyncStream<[UInt8]>.Iterator
    fileprivate let room: Room

    mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> [UInt8]? {
      let line = await lines.next(isolation: actor)
      room.give()
      return line
    }
  }
}

/// A counting semaphore: the reading thread blocks on it, tasks never do.
private final class Room: @unchecked Sendable {
  private let semaphore: UnsafeMutablePointer<sem_t>

  init(_ count: Int) {
    semaphore = .allocate(capacity: 1)
    semaphore.initialize(to: sem_t())
    sem_init(semaphore, 0, UInt32(count))
  }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func take() { while sem_wait(semaphore) != 0 {} }
  func give() { sem_post(semaphore) }
}

private final class LineReader: Sendable {
  let deliver: @Sendable ([UInt8]?) -> Void

  init(_ deliver: @escaping @Sendable ([UInt8]?) -> Void) { self.deliver = deliver }

  /// Reads to the end; a last line without a newline counts.
  func run() {
    var rest: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      rest += chunk[..<count]
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
        deliver(Array(rest[start..<end]))
        start = end + 1
      }
      rest.removeSubrange(..<start)
    }
    if !rest.isEmpty { deliver(rest) }
    deliver(nil)
  }
}

/// Not inside a closure of an actor: the C entry must not inherit an isolation.
private nonisolated func startReading(_ deliver: @escaping @Sendable ([UInt8]?) -> Void) {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(LineReader(deliver)).toOpaque()
  guard pthread_create(&thread, nil, readLines, argument) == 0 else { return deliver(nil) }
  pthread_detach(thread)
}

private nonisolated func readLines(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<LineReader>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
