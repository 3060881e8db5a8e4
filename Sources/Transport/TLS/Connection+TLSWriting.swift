import Bytes
import CLinux
import EventLoops

/// Ciphertext that OpenSSL makes on its own account (alerts, key updates) while the peer takes nothing: more is a peer
/// that asks and does not listen. One batch of encrypted writes may be among it.
private let maximumUnaskedByteCount = 256 * 1024
/// Ciphertext and plaintext up to this size leave in one system call, though it takes a copy.
private let togetherByteCount = 4 * 1024

extension Connection {
  /// Encrypts what is collected and writes it, as far as the kernel takes it: a batch a system call.
  func flushEncrypted(_ session: TLSSession) {
    if session.ticketsWait {
      guard waitingByteCount > 0 || !flags.isDisjoint(with: [.isFinishing, .isClosing]) else { return }
      session.ticketsWait = false
    }
    guard leavesTogether(session) || writeCiphertext(session) else { return }
    guard session.handshake == nil, session.failure == nil else {
      // Closed before it was open, or broken: nothing can be said any more.
      if flags.contains(.isClosing), settle() { sendEnd() }
      return
    }
    while lone != nil || outbound?.pointee.isEmpty == false {
      guard encryptBatch(session) else { return }
      if flags.contains(.isFinishing), waitingByteCount == 0 { session.sendCloseNotify() }
      guard send(session) else { return }
    }
    releaseQueue()
    guard flags.contains(.isFinishing) else { return }
    session.sendCloseNotify()
    guard send(session) else { return }
    session.outer?.sendCloseNotify()
    if sendSealed(session), settle() { sendEnd() }
  }

  /// Encrypts the little that is queued, a message's header most often, with the beginning of `left`: so much that what
  /// is left fills whole records from where it is. False when nothing was done.
  private func encryptHead(_ left: inout Slice<UnsafeRawBufferPointer>, _ session: TLSSession) -> Bool {
    guard lone == nil, let queue = outbound, let head = queue.pointee.onePiece, !head.isEmpty,
      head.count <= togetherByteCount, session.queuedByteCount <= togetherByteCount,
      session.handshake == nil, session.failure == nil, flags.isDisjoint(with: [.isBlocked, .isClosed])
    else { return false }
    let count = head.count + left.count
    let odd = count % LoopTLS.recordByteCount
    let first = odd < head.count ? min(count, LoopTLS.recordByteCount) : odd
    var collected = 0
    _ = collect(head[...], &collected, session)
    queue.pointee.consume(head.count)
    _ = collect(left.prefix(first - head.count), &collected, session)
    left = left.dropFirst(first - head.count)
    releaseQueue()
    _ = encryptCollected(&collected, session)
    return true
  }

  /// Whether the ciphertext that is kept can wait for what is about to be encrypted.
  private func leavesTogether(_ session: TLSSession) -> Bool {
    guard session.ciphertext != nil, session.handshake == nil, session.failure == nil,
      flags.isDisjoint(with: [.isBlocked, .isClosed])
    else { return false }
    return (1...togetherByteCount).contains(waitingByteCount) && session.queuedByteCount <= togetherByteCount
  }

  /// Offers what is queued and then `bytes` to the kernel; only what it does not take is queued, if that is allowed.
  func writeThroughEncrypted(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) {
    var left = bytes[...]
    if !encryptHead(&left, session), !flags.contains(.isBlocked) { flushEncrypted(session) }
    while !left.isEmpty || session.wire.pointee.outputCount > 0, session.handshake == nil,
      session.failure == nil, flags.isDisjoint(with: [.isBlocked, .isClosed])
    {
      let part = left.prefix(LoopTLS.batchByteCount)
      guard encrypt(UnsafeRawBufferPointer(rebasing: part), session) else { return }
      left = left.dropFirst(part.count)
      guard send(session) else { break }
    }
    guard !flags.contains(.isClosed), session.failure == nil, !left.isEmpty else { return }
    guard left.count <= maximumQueuedBytes - queuedByteCount else {
      return terminate(.outboundQueueOverflow, reset: true)
    }
    openQueue().pointee.append(UnsafeRawBufferPointer(rebasing: left))
  }

  /// Takes what OpenSSL has written into the connection's queue; it leaves with the next flush.
  func keepOutput(_ session: TLSSession) {
    sealOutput(session)
    keepSealed(session)
  }

  func keepSealed(_ session: TLSSession) {
    let wire = session.wire
    guard wire.pointee.outputCount > 0 else { return }
    let output = UnsafeRawBufferPointer(start: wire.pointee.output, count: wire.pointee.outputCount)
    wire.pointee.outputCount = 0
    session.ticketsWait = false
    if !flags.contains(.isClosed) { queue(output, session) }
    if flags.contains(.isBlocked), session.queuedByteCount > maximumUnaskedByteCount {
      terminate(.outboundQueueOverflow, reset: true)
    }
  }

  private func queue(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) {
    let queue = session.ciphertext ?? loop.takeQueue()
    session.ciphertext = queue
    queue.pointee.append(bytes)
  }

  /// Writes what OpenSSL has just made. False when the kernel does not take all of it, or the connection is closed.
  private func send(_ session: TLSSession) -> Bool {
    session.ticketsWait = false
    sealOutput(session)
    return sendSealed(session)
  }

  private func sendSealed(_ session: TLSSession) -> Bool {
    let wire = session.wire
    // What is kept goes first.
    if session.ciphertext != nil {
      keepSealed(session)
      return writeCiphertext(session)
    }
    let output = UnsafeRawBufferPointer(start: wire.pointee.output, count: wire.pointee.outputCount)
    wire.pointee.outputCount = 0
    guard !output.isEmpty else { return !flags.contains(.isClosed) }
    let taken = written(loop.driver.write(output, to: id), of: output.count)
    if taken < output.count, !flags.contains(.isClosed) {
      queue(UnsafeRawBufferPointer(rebasing: output[taken...]), session)
    }
    return flags.isDisjoint(with: [.isBlocked, .isClosed])
  }

  /// Writes ciphertext that was kept. False when the kernel does not take all of it, or the connection is closed.
  private func writeCiphertext(_ session: TLSSession) -> Bool {
    guard let queue = session.ciphertext else { return flags.isDisjoint(with: [.isBlocked, .isClosed]) }
    while !queue.pointee.isEmpty {
      // It holds own bytes only.
      guard flags.isDisjoint(with: [.isBlocked, .isClosed]), let piece = queue.pointee.onePiece else {
        return false
      }
      queue.pointee.consume(written(loop.driver.write(piece, to: id), of: piece.count))
    }
    guard flags.isDisjoint(with: [.isBlocked, .isClosed]) else { return false }
    session.ciphertext = nil
    loop.giveBack(queue)
    return true
  }

  private func written(_ result: WriteResult, of total: Int) -> Int {
    switch result {
    case .wrote(let count):
      if count < total { flags.insert(.isBlocked) }
      return count
    case .pending: flags.insert(.isBlocked)
    case .failed(let error): terminate(.failed(errno: error))
    }
    return 0
  }

  // MARK: encryption

  /// Encrypts the beginning of what is queued: large pieces from where they are, small ones collected into records.
  /// False when TLS has failed.
  private func encryptBatch(_ session: TLSSession) -> Bool {
    if let bytes = lone, bytes.count <= LoopTLS.batchByteCount {
      lone = nil
      return bytes.withUnsafeBytes { encrypt($0, session) }
    }
    let queue = openQueue()
    // Most often: nothing but what was copied into the queue.
    if let piece = queue.pointee.onePiece, piece.count <= LoopTLS.batchByteCount {
      guard encrypt(piece, session) else { return false }
      queue.pointee.consume(piece.count)
      return true
    }
    let pieces = shared.pieces
    let used = queue.pointee.fill(pieces)
    var collected = 0
    var taken = 0
    for index in 0..<used {
      let start = UnsafeRawBufferPointer(start: pieces[index].iov_base, count: pieces[index].iov_len)
      var piece = start.prefix(LoopTLS.batchByteCount - taken)
      taken += piece.count
      while !piece.isEmpty {
        if collected == 0, piece.count >= LoopTLS.recordByteCount || index == used - 1 {
          guard encrypt(UnsafeRawBufferPointer(rebasing: piece), session) else { return false }
          break
        }
        piece = collect(piece, &collected, session)
        guard collected < LoopTLS.recordByteCount || encryptCollected(&collected, session) else {
          return false
        }
      }
      if taken == LoopTLS.batchByteCount { break }
    }
    guard encryptCollected(&collected, session) else { return false }
    queue.pointee.consume(taken)
    return true
  }

  /// Copies what fits into the record; returns the rest.
  private func collect(
    _ piece: Slice<UnsafeRawBufferPointer>, _ collected: inout Int, _ session: TLSSession
  ) -> Slice<UnsafeRawBufferPointer> {
    let record = session.shared.record
    let part = piece.prefix(record.count - collected)
    UnsafeMutableRawBufferPointer(rebasing: record[collected...]).copyMemory(
      from: UnsafeRawBufferPointer(rebasing: part))
    collected += part.count
    return piece.dropFirst(part.count)
  }

  private func encryptCollected(_ collected: inout Int, _ session: TLSSession) -> Bool {
    let record = UnsafeRawBufferPointer(rebasing: session.shared.record[..<collected])
    collected = 0
    return encrypt(record, session)
  }

  private func encrypt(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) -> Bool {
    guard !bytes.isEmpty, let error = session.write(bytes) else { return true }
    failTLS(session, error)
    return false
  }
}
