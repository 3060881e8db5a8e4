import Bytes
import CLinux
import EventLoops

/// Bytes of this size or more are offered to the kernel at once instead of being copied into the queue first.
private let writtenThroughByteCount = 16 * 1024

extension Connection: EndOfTurnTarget {
  /// Writes a copy of `bytes`. Ignored when the connection is finished or closed.
  public func write(_ bytes: UnsafeRawBufferPointer) {
    assert(loop.isCurrent)
    guard isWritable, !bytes.isEmpty else { return }
    writtenByteCount &+= UInt64(bytes.count)
    if bytes.count >= writtenThroughByteCount || bytes.count > maximumQueuedBytes - queuedByteCount {
      return writeThrough(bytes)
    }
    openQueue().pointee.append(bytes)
    scheduleFlush()
  }

  /// Room for `count` bytes at the end of what is written, which the caller fills at once: spares the copy that `write`
  /// makes. Nil where bytes so many are not collected, or nothing can be written: then `write` knows what to do.
  ///
  /// - Parameters:
  ///   - count: at least 1.
  ///   - limit: nil, too, if more than so many bytes wait already.
  package func reserve(_ count: Int, whileQueued limit: Int = .max) -> UnsafeMutableRawPointer? {
    assert(loop.isCurrent)
    // In as few steps as can be: another message behind those that leave together.
    guard flags.isDisjoint(with: [.isFinishing, .isClosing, .isClosed]),
      !flags.isDisjoint(with: [.isHandlingRead, .isScheduled]), tls == nil, let outbound,
      count < writtenThroughByteCount,
      let start = outbound.pointee.extendInPlace(by: count, upTo: min(limit, Int(queueLimit)))
    else { return reserveAny(count, whileQueued: limit) }
    writtenByteCount &+= UInt64(truncatingIfNeeded: count)
    return start
  }

  private func reserveAny(_ count: Int, whileQueued limit: Int) -> UnsafeMutableRawPointer? {
    guard isWritable, count < writtenThroughByteCount else { return nil }
    let queue = openQueue()
    let queued = queue.pointee.byteCount + (tls == nil ? 0 : tls?.queuedByteCount ?? 0)
    guard queued <= limit, count <= maximumQueuedBytes - queued else { return nil }
    let start = queue.pointee.extend(by: count)
    writtenByteCount &+= UInt64(count)
    scheduleFlush()
    return start
  }

  /// Writes `bytes` by reference; short ones may be copied. Ignored when the connection is finished or closed.
  public func write(_ bytes: SharedBytes) {
    assert(loop.isCurrent)
    let count = bytes.count
    guard isWritable, count > 0 else { return }
    writtenByteCount &+= UInt64(count)
    if count > maximumQueuedBytes - queuedByteCount {
      return bytes.withUnsafeBytes { writeThrough($0) }
    }
    if outbound == nil, lone == nil {
      lone = bytes
    } else {
      openQueue().pointee.append(bytes)
    }
    scheduleFlush()
  }

  /// Writes now what is collected, as far as the kernel takes it. Not needed: it happens by itself once a turn.
  public func flush() {
    assert(loop.isCurrent)
    guard flags.isDisjoint(with: [.isBlocked, .isClosed]) else { return }
    if let tls { return flushEncrypted(tls) }
    if lone != nil { flushLone() }
    while let queue = outbound {
      if queue.pointee.isEmpty { break }
      if let piece = queue.pointee.onePiece {
        flush(queue, piece)
      } else {
        flush(queue, then: UnsafeRawBufferPointer(start: nil, count: 0))
      }
      guard flags.isDisjoint(with: [.isBlocked, .isClosed]) else { return }
    }
    guard flags.isDisjoint(with: [.isBlocked, .isClosed]) else { return }
    releaseQueue()
    if flags.contains(.isFinishing), settle() { sendEnd() }
  }

  /// Waits for nothing: what the driver has collected leaves now. False if some of it could not.
  func settle() -> Bool {
    loop.driver.settle(id)
    return flags.isDisjoint(with: [.isBlocked, .isClosed])
  }

  /// Puts bytes that the kernel did not take, after all, before all others.
  func takeBack(_ bytes: UnsafeRawBufferPointer) {
    guard !flags.contains(.isClosed) else {
      extras?.lostByteCount += bytes.count
      return
    }
    flags.insert(.isBlocked)
    guard let tls else { return openQueue().pointee.prepend(bytes) }
    let queue = tls.ciphertext ?? loop.takeQueue()
    tls.ciphertext = queue
    queue.pointee.prepend(bytes)
  }

  /// For the loop.
  package func endOfTurn() {
    flags.remove(.isScheduled)
    if let tls, tls.isHeld, !flags.contains(.isReadingPaused) { takeUpHeld(tls) }
    if flags.contains(.isClosed) { return reportClosed() }
    flush()
    if flags.contains(.isUnblocked) { reportDrained() }
  }

  private func reportDrained() {
    flags.remove(.isUnblocked)
    guard flags.isDisjoint(with: [.isBlocked, .isClosed, .isClosing]), tls?.handshake == nil else { return }
    handler?.drained(self)
  }

  func schedule() {
    guard !flags.contains(.isScheduled) else { return }
    flags.insert(.isScheduled)
    loop.atEndOfTurn(self)
  }

  private func scheduleFlush() {
    // While blocked nothing can be written, and inside `received` the flush follows anyway.
    if flags.isDisjoint(with: [.isBlocked, .isHandlingRead]) { schedule() }
  }

  /// The queue, with what is written so far in it.
  func openQueue() -> OutboundQueue.Pointer {
    if let outbound { return outbound }
    let queue = loop.takeQueue()
    outbound = queue
    if let first = lone {
      lone = nil
      queue.pointee.append(first)
    }
    return queue
  }

  func releaseQueue() {
    guard let queue = outbound else { return }
    outbound = nil
    loop.giveBack(queue)
  }

  private func flushLone() {
    // Taken out, not copied: each count of a reference is an atomic step.
    var taken: SharedBytes?
    swap(&taken, &lone)
    guard let bytes = taken else { return }
    switch loop.write(bytes, to: id) {
    case .wrote(let count):
      guard count < bytes.count else { return }
      openQueue().pointee.append(bytes, from: count)
      flags.insert(.isBlocked)
    case .pending:
      openQueue().pointee.append(bytes)
      flags.insert(.isBlocked)
    case .failed(let error):
      lone = bytes
      terminate(.failed(errno: error))
    }
  }

  /// One system call: a queue that is one piece.
  private func flush(_ queue: OutboundQueue.Pointer, _ piece: UnsafeRawBufferPointer) {
    switch loop.write(piece, to: id) {
    case .wrote(let count):
      queue.pointee.consume(count)
      if count < piece.count { flags.insert(.isBlocked) }
    case .pending: flags.insert(.isBlocked)
    case .failed(let error): terminate(.failed(errno: error))
    }
  }

  /// One system call: the queue, then `more`. Returns how many bytes of `more` were taken.
  @discardableResult
  private func flush(_ queue: OutboundQueue.Pointer, then more: UnsafeRawBufferPointer) -> Int {
    let pieces = shared.pieces
    var used = queue.pointee.fill(UnsafeMutableBufferPointer(rebasing: pieces.dropLast()))
    let offered = (0..<used).reduce(0) { $0 + pieces[$1].iov_len }
    let isWhole = offered == queue.pointee.byteCount
    if isWhole, let base = more.baseAddress, !more.isEmpty {
      pieces[used] = iovec(iov_base: UnsafeMutableRawPointer(mutating: base), iov_len: more.count)
      used += 1
    }
    let total = isWhole ? offered + more.count : offered
    let result =
      used == 1
      ? loop.driver.write(UnsafeRawBufferPointer(start: pieces[0].iov_base, count: total), to: id)
      : loop.driver.write(UnsafeMutableBufferPointer(rebasing: pieces[..<used]), to: id)
    switch result {
    case .wrote(let count):
      queue.pointee.consume(min(count, queue.pointee.byteCount))
      if count < total { flags.insert(.isBlocked) }
      return max(0, count - offered)
    case .pending:
      flags.insert(.isBlocked)
    case .failed(let error):
      terminate(.failed(errno: error))
    }
    return 0
  }

  /// Offers what is queued and then `bytes` to the kernel; only what it does not take is copied, if that is allowed.
  private func writeThrough(_ bytes: UnsafeRawBufferPointer) {
    if let tls { return writeThroughEncrypted(bytes, tls) }
    var taken = 0
    let queue = openQueue()
    while flags.isDisjoint(with: [.isBlocked, .isClosed]), taken == 0 {
      taken = flush(queue, then: bytes)
    }
    guard !flags.contains(.isClosed) else {
      extras?.lostByteCount += bytes.count
      return
    }
    let left = UnsafeRawBufferPointer(rebasing: bytes[taken...])
    guard left.count <= maximumQueuedBytes - queue.pointee.byteCount else {
      makeExtras().lostByteCount += left.count
      return terminate(.outboundQueueOverflow, reset: true)
    }
    queue.pointee.append(left)
    if queue.pointee.isEmpty { releaseQueue() }
  }
}
