import Glibc

/// What is typed, as it comes. A thread of its own reads it, because reading blocks.
enum TerminalBytes {
  static func stream() -> AsyncStream<[UInt8]> {
    let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
    startReading { bytes in
      guard let bytes else { return continuation.finish() }
      continuation.yield(bytes)
    }
    return stream
  }
}

private final class ByteReader: Sendable {
  let deliver: @Sendable ([UInt8]?) -> Void

  init(_ deliver: @escaping @Sendable ([UInt8]?) -> Void) { self.deliver = deliver }

  func run() {
    var chunk = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = read(STDIN_FILENO, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return deliver(nil) }
      deliver(Array(chunk[..<count]))
    }
  }
}

/// Not inside a closure of an actor: the C entry must not inherit an isolation.
private nonisolated func startReading(_ deliver: @escaping @Sendable ([UInt8]?) -> Void) {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(ByteReader(deliver)).toOpaque()
  guard pthread_create(&thread, nil, readBytes, argument) == 0 else { return deliver(nil) }
  pthread_detach(thread)
}

private nonisolated func readBytes(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<ByteReader>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
