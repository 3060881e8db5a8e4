@testable import WebSockets

/// A dialogue with a proxy, fed by a test.
final class Dialogue<Protocol: ProxyDialogue & ~Copyable> {
  private var inner: Protocol
  /// What was sent, one entry a step.
  private(set) var sent: [[UInt8]] = []
  private(set) var isEstablished = false
  /// What arrived behind the proxy's last answer.
  private(set) var rest: [UInt8] = []

  init(_ inner: consuming Protocol) throws(ProxyRefusal) {
    self.inner = inner
    try feed([])
  }

  /// Hands bytes over in pieces of the given size.
  func feed(_ bytes: [UInt8], pieces size: Int = .max) throws(ProxyRefusal) {
    var start = 0
    repeat {
      let end = min(bytes.count, start.addingReportingOverflow(size).overflow ? bytes.count : start + size)
      try feedOnce(Array(bytes[start..<end]))
      start = end
    } while start < bytes.count
  }

  private func feedOnce(_ bytes: [UInt8]) throws(ProxyRefusal) {
    if isEstablished { return rest += bytes }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    var input = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<bytes.count])
    while !isEstablished, let step = try inner.next(&input) {
      switch step {
      case .send(let bytes): sent.append(bytes)
      case .established: isEstablished = true
      }
    }
    rest += input
  }
}
