/// What the compressed connections of one loop share: compressors and decompressors without context, buffers, and what is
/// put together of messages under way. Not for more than one thread.
public final class CompressionPool {
  private struct Key: Hashable {
    let level: Int
    let windowBits: Int
  }

  private struct SharingKey: Hashable {
    let agreement: DeflateAgreement
    let options: DeflateOptions
  }

  /// A compression holds its pool; the pool must not hold it in turn.
  private struct WeakCompression {
    weak var value: MessageCompression?
  }

  /// Spare objects of a kind are kept up to this number.
  private static let spareCount = 16
  /// A buffer larger than this is not kept.
  static let keptBytes = 64 << 10

  private var deflaters: [Key: Deflater] = [:]
  private var fastDeflaters: [Key: FastDeflater] = [:]
  private var inflaters: [Inflater] = []
  private var partials: [PartialMessage] = []
  private var shared: [SharingKey: WeakCompression] = [:]
  /// Where compressed messages are put together on their way out.
  var output = GrowingBuffer()

  /// Makes an empty pool.
  public init() {}

  /// The compression of a connection: one object for all connections that keep no context.
  public func compression(_ agreement: DeflateAgreement, _ options: DeflateOptions) -> MessageCompression {
    guard !agreement.sendsWithContext, !agreement.receivesWithContext else {
      return MessageCompression(agreement, options, self)
    }
    let key = SharingKey(agreement: agreement, options: options)
    if let found = shared[key]?.value { return found }
    let made = MessageCompression(agreement, options, self)
    shared[key] = WeakCompression(value: made)
    return made
  }

  func deflater(level: Int, windowBits: Int) -> Deflater {
    let key = Key(level: level, windowBits: windowBits)
    if let found = deflaters[key] {
      found.reset()
      return found
    }
    let made = Deflater(level: level, windowBits: windowBits)
    deflaters[key] = made
    return made
  }

  func fastDeflater(level: Int, windowBits: Int) -> FastDeflater {
    let key = Key(level: level, windowBits: windowBits)
    if let found = fastDeflaters[key] { return found }
    let made = FastDeflater(level: level, windowBits: windowBits)
    fastDeflaters[key] = made
    return made
  }

  func takeInflater() -> Inflater {
    guard let spare = inflaters.popLast() else { return Inflater(windowBits: 15) }
    spare.reset()
    return spare
  }

  func giveBack(_ inflater: Inflater) {
    if inflaters.count < Self.spareCount { inflaters.append(inflater) }
  }

  func takePartial() -> PartialMessage { partials.popLast() ?? PartialMessage() }

  func giveBack(_ partial: PartialMessage) {
    guard partials.count < Self.spareCount else { return }
    partial.reset()
    partials.append(partial)
  }
}
