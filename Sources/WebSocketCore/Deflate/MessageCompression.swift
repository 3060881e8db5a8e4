/// permessage-deflate on one connection, or on all of a loop that keep no context between messages.
public final class MessageCompression {
  /// What was agreed on.
  public let agreement: DeflateAgreement
  /// How we compress.
  public let options: DeflateOptions
  let pool: CompressionPool
  /// With context: this connection's own, made at the first message.
  private var ownDeflater: Deflater?
  /// Without context, at low levels: the pool's, found once.
  private var fastDeflater: FastDeflater?
  private var ownInflater: Inflater?

  init(_ agreement: DeflateAgreement, _ options: DeflateOptions, _ pool: CompressionPool) {
    self.agreement = agreement
    self.options = options
    self.pool = pool
  }

  // MARK: Sending

  /// Compresses a whole message and lends the result to `body`; nil, which means that the message is to be sent as it is,
  /// where it is small or does not become smaller.
  public func compress<R>(
    _ message: UnsafeRawBufferPointer, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R? {
    guard message.count >= options.minimumBytes else { return nil }
    pool.output.empty(keeping: CompressionPool.keptBytes)
    if isFast, message.count <= FastDeflater.maximumBytes {
      guard sharedFastDeflater().compress(message, into: &pool.output) else { return nil }
    } else {
      deflater().compress(message, isFinal: true, into: &pool.output)
    }
    // With context the peer must see what our window holds.
    guard agreement.sendsWithContext || pool.output.count < message.count else { return nil }
    return body(UnsafeMutableRawBufferPointer(mutating: pool.output.bytes))
  }

  /// Whether whole messages are ISA-L's.
  private var isFast: Bool { !agreement.sendsWithContext && options.level <= FastDeflater.highestLevel }

  private func sharedFastDeflater() -> FastDeflater {
    if let fastDeflater { return fastDeflater }
    let found = pool.fastDeflater(level: options.level, windowBits: agreement.sendWindowBits)
    fastDeflater = found
    return found
  }

  private func deflater() -> Deflater {
    guard agreement.sendsWithContext else {
      return pool.deflater(level: options.level, windowBits: agreement.sendWindowBits)
    }
    if let ownDeflater { return ownDeflater }
    let made = Deflater(level: options.level, windowBits: agreement.sendWindowBits)
    ownDeflater = made
    return made
  }

  /// For a message in fragments: without context one of its own, because others may be compressed before it ends.
  func deflaterForFragments() -> Deflater {
    agreement.sendsWithContext
      ? deflater() : Deflater(level: options.level, windowBits: agreement.sendWindowBits)
  }

  /// A message was sent that was compressed elsewhere, without context: ours must not refer to what came before it.
  public func sentPrepared() { ownDeflater?.reset() }

  // MARK: Receiving

  func takeInflater() -> Inflater {
    guard agreement.receivesWithContext else { return pool.takeInflater() }
    if let ownInflater { return ownInflater }
    let made = Inflater(windowBits: agreement.receiveWindowBits)
    ownInflater = made
    return made
  }

  func giveBack(_ inflater: Inflater) {
    if !agreement.receivesWithContext { pool.giveBack(inflater) }
  }
}

/// The compressor of one message that is sent in fragments.
public final class FragmentCompressor {
  private let deflater: Deflater
  private let pool: CompressionPool

  /// Begins a message.
  public init(_ compression: MessageCompression) {
    pool = compression.pool
    deflater = compression.deflaterForFragments()
  }

  /// Compresses a fragment and lends the result to `body`.
  public func compress<R>(
    _ fragment: UnsafeRawBufferPointer, isFinal: Bool, _ body: (UnsafeMutableRawBufferPointer) -> R
  ) -> R {
    pool.output.empty(keeping: CompressionPool.keptBytes)
    deflater.compress(fragment, isFinal: isFinal, into: &pool.output)
    return body(UnsafeMutableRawBufferPointer(mutating: pool.output.bytes))
  }
}
