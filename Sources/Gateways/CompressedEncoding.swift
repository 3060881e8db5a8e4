import Bytes
import Realtime
import Synchronization
import WebSocketCore
import WebSockets

/// Another encoding's WebSocket frames for the connections that agreed on permessage-deflate without context: compressed
/// once for all of them, on the loop that owns the channel.
///
/// It is an encoding of its own, so that the hub compresses only where somebody in the channel wants that. What is
/// small, and what does not become smaller, stays as it is.
public final class CompressedEncoding: WireEncoding {
  /// What is compressed.
  let base: any WireEncoding
  private let options: DeflateOptions
  private let counters: CompressionCounters

  /// Wraps an encoding.
  ///
  /// - Parameters:
  ///   - base: makes a server's whole, uncompressed data frames.
  ///   - options: the effort, the smallest payload that is compressed, and the window.
  ///   - counters: count what is compressed.
  public init(
    _ base: any WireEncoding, _ options: DeflateOptions, counters: CompressionCounters = CompressionCounters()
  ) {
    self.base = base
    self.options = options
    self.counters = counters
  }

  /// Whether a connection can be sent these frames: its peer keeps no context, and a window that is large enough.
  public func suits(_ agreement: DeflateAgreement?) -> Bool {
    guard let agreement else { return false }
    return !agreement.sendsWithContext && agreement.sendWindowBits >= options.sendWindowBits
  }

  /// The base's frame for a publication, compressed.
  public func publication(_ publication: Publication, channel: String) -> SharedBytes {
    compress(base.publication(publication, channel: channel))
  }

  /// The base's frame for a publication with differences, compressed.
  public func publication(_ publication: Publication, delta: SharedBytes?, channel: String) -> SharedBytes {
    compress(base.publication(publication, delta: delta, channel: channel))
  }

  /// The base's frame for somebody who came, compressed.
  public func joined(_ info: ClientInfo, channel: String) -> SharedBytes {
    compress(base.joined(info, channel: channel))
  }

  /// The base's frame for somebody who left, compressed.
  public func left(_ info: ClientInfo, channel: String) -> SharedBytes {
    compress(base.left(info, channel: channel))
  }

  private func compress(_ frame: SharedBytes) -> SharedBytes {
    guard let compressed = PreparedMessage.compressed(frame, options) else { return frame }
    counters.count(before: frame.count, after: compressed.count)
    return compressed
  }
}

/// What was compressed once for many, since the counters were made. Any thread.
public final class CompressionCounters: Sendable {
  private let frames = Atomic<UInt64>(0)
  private let bytesBefore = Atomic<UInt64>(0)
  private let bytesAfter = Atomic<UInt64>(0)

  /// Makes counters at zero.
  public init() {}

  func count(before: Int, after: Int) {
    frames.count()
    bytesBefore.wrappingAdd(UInt64(before), ordering: .relaxed)
    bytesAfter.wrappingAdd(UInt64(after), ordering: .relaxed)
  }

  /// The counters by their names in docs/compression.md.
  public var values: [(name: String, value: UInt64)] {
    [
      ("shared_frames_compressed", frames.load(ordering: .relaxed)),
      ("shared_bytes_before_compression", bytesBefore.load(ordering: .relaxed)),
      ("shared_bytes_after_compression", bytesAfter.load(ordering: .relaxed)),
    ]
  }
}
