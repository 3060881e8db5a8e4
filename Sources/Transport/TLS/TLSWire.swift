import COpenSSL

/// What the TLS sessions of one loop share: the ciphertext that a call into OpenSSL reads and writes, and room for
/// plaintext. A session that is idle owns none of it.
///
/// A call into OpenSSL is given its input and leaves its output here; between calls both are empty, so that sessions
/// of one loop cannot meet.
final class LoopTLS {
  /// RFC 8446 §5.1: the most plaintext that a record holds.
  static let recordByteCount = 16 * 1024
  /// Plaintext that is encrypted before the kernel is offered the ciphertext.
  static let batchByteCount = 6 * recordByteCount

  /// What OpenSSL's callbacks see.
  struct Wire {
    var input = UnsafeRawBufferPointer(start: nil, count: 0)
    var output: UnsafeMutableRawPointer?
    var outputCount = 0
    var outputCapacity = 0
  }

  let wire: UnsafeMutablePointer<Wire>
  /// Decrypted bytes on their way to a handler: four records.
  let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 * recordByteCount, alignment: 64)
  /// Small writes on their way into one record.
  let record = UnsafeMutableRawBufferPointer.allocate(byteCount: recordByteCount, alignment: 64)
  var warmSessions = WarmSessions()
  /// Handshakes under way.
  var handshakeCount = 0

  init() {
    wire = .allocate(capacity: 1)
    wire.initialize(to: Wire())
    wire.pointee.reserve(Self.batchByteCount + Self.recordByteCount)
  }

  deinit {
    wire.pointee.output?.deallocate()
    wire.deallocate()
    plaintext.deallocate()
    record.deallocate()
  }

  /// A BIO over this loop's wire; the session that it is given to owns it.
  func makeBIO() -> OpaquePointer? {
    guard let method = wireMethod, let bio = BIO_new(method) else { return nil }
    BIO_set_data(bio, wire)
    BIO_set_init(bio, 1)
    return bio
  }
}

extension LoopTLS.Wire {
  /// Makes room for `count` more bytes of output.
  mutating func reserve(_ count: Int) {
    let needed = outputCount + count
    guard needed > outputCapacity else { return }
    let capacity = max(needed, 2 * outputCapacity)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    if let output {
      larger.copyMemory(from: output, byteCount: outputCount)
      output.deallocate()
    }
    (output, outputCapacity) = (larger, capacity)
  }
}

/// One method for all BIOs: never blocks, takes all it is given, and asks for more when the input is used up.
private nonisolated(unsafe) let wireMethod: OpaquePointer? = {
  guard let method = BIO_meth_new(BIO_get_new_index() | Int32(BIO_TYPE_SOURCE_SINK), "martlet loop") else {
    return nil
  }
  BIO_meth_set_read_ex(method, readWire)
  BIO_meth_set_write_ex(method, writeWire)
  BIO_meth_set_ctrl(method, controlWire)
  return method
}()

private func wire(of bio: OpaquePointer?) -> UnsafeMutablePointer<LoopTLS.Wire>? {
  BIO_get_data(bio)?.assumingMemoryBound(to: LoopTLS.Wire.self)
}

private func readWire(
  _ bio: OpaquePointer?, _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int,
  _ read: UnsafeMutablePointer<Int>?
) -> Int32 {
  copenssl_BIO_clear_retry_flags(bio)
  guard let wire = wire(of: bio), let bytes, !wire.pointee.input.isEmpty else {
    copenssl_BIO_set_retry_read(bio)
    return 0
  }
  let input = wire.pointee.input
  let taken = min(count, input.count)
  UnsafeMutableRawBufferPointer(start: bytes, count: taken).copyMemory(
    from: UnsafeRawBufferPointer(rebasing: input[..<taken]))
  wire.pointee.input = UnsafeRawBufferPointer(rebasing: input[taken...])
  read?.pointee = taken
  return 1
}

private func writeWire(
  _ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int, _ written: UnsafeMutablePointer<Int>?
) -> Int32 {
  copenssl_BIO_clear_retry_flags(bio)
  guard let wire = wire(of: bio), let bytes else { return 0 }
  wire.pointee.reserve(count)
  (wire.pointee.output.map { $0 + wire.pointee.outputCount })?.copyMemory(from: bytes, byteCount: count)
  wire.pointee.outputCount += count
  written?.pointee = count
  return 1
}

/// OpenSSL asks its BIOs to flush, and about things that this one does not have.
private func controlWire(
  _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
  command == BIO_CTRL_FLUSH ? 1 : 0
}
