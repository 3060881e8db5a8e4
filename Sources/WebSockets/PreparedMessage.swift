import Bytes
import EventLoops
import WebSocketCore

/// A message that is encoded, and compressed, once for any number of a server's connections.
public struct PreparedMessage: Sendable {
  /// The frame as it is sent without compression.
  let frame: SharedBytes
  /// The frame for connections with permessage-deflate; nil where compressing is not worth it.
  let compressed: SharedBytes?
  /// The window that the compressed frame needs.
  let windowBits: Int

  /// Encodes a message.
  ///
  /// - Parameters:
  ///   - payload: the message; a text must be valid UTF-8.
  ///   - kind: text or binary.
  ///   - compression: makes a compressed variant as well, for the connections that agreed on permessage-deflate
  ///     and can take it.
  public init(_ payload: UnsafeRawBufferPointer, _ kind: MessageKind, compression: DeflateOptions? = nil) {
    let opcode: Opcode = kind == .text ? .text : .binary
    frame = FrameEncoder.serverFrame(opcode, payload)
    windowBits = compression?.sendWindowBits ?? 15
    compressed = compression.flatMap { Self.compressed(opcode, payload, $0) }
  }

  /// Encodes a text message.
  public init(_ text: String, compression: DeflateOptions? = nil) {
    var text = text
    self = text.withUTF8 { PreparedMessage(UnsafeRawBufferPointer($0), .text, compression: compression) }
  }

  /// The compressed variant of a server's whole data frame; nil where compressing is not worth it.
  package static func compressed(_ frame: SharedBytes, _ options: DeflateOptions) -> SharedBytes? {
    frame.withUnsafeBytes { bytes in
      guard let header = try? FrameHeader.parse(bytes, receivedBy: .client) else { return nil }
      return compressed(
        header.opcode, UnsafeRawBufferPointer(rebasing: bytes[header.encodedCount...]), options)
    }
  }

  private static func compressed(
    _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, _ options: DeflateOptions
  ) -> SharedBytes? {
    // Any thread may ask: on a loop its compressor is there already.
    let pool = EventLoop.current?.storage { _ in CompressionPool() } ?? CompressionPool()
    let agreement = DeflateAgreement(
      sendsWithContext: false, receivesWithContext: false, sendWindowBits: options.sendWindowBits)
    return pool.compression(agreement, options).compress(payload) {
      FrameEncoder.serverFrame(opcode, UnsafeRawBufferPointer($0), isCompressed: true)
    }
  }

  /// The variant for a connection.
  func frame(for compression: MessageCompression?) -> SharedBytes {
    guard let compressed, let compression, windowBits <= compression.agreement.sendWindowBits else {
      return frame
    }
    // What the peer's window holds from now on is not what ours does.
    compression.sentPrepared()
    return compressed
  }
}
