/// Frames as RFC 6455 §5.2 draws them, octet by octet: the reference that the module is held against.
enum Wire {
  /// The key of the RFC's examples.
  static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

  /// A frame; `first` is its first octet, and a key masks it.
  static func frame(_ first: UInt8, _ payload: [UInt8], key: [UInt8]? = nil) -> [UInt8] {
    let mask: UInt8 = key == nil ? 0 : 0x80
    var bytes = [first]
    switch payload.count {
    case 0...125: bytes.append(mask | UInt8(payload.count))
    case 126...65_535: bytes += [mask | 126] + bigEndian(payload.count, octets: 2)
    default: bytes += [mask | 127] + bigEndian(payload.count, octets: 8)
    }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
  }

  /// A frame from a client.
  static func masked(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] { frame(first, payload, key: key) }

  /// A frame from a client.
  static func masked(_ first: UInt8, _ text: String) -> [UInt8] { masked(first, Array(text.utf8)) }

  /// A close frame's payload.
  static func close(_ code: UInt16, _ reason: [UInt8] = []) -> [UInt8] {
    [UInt8(code >> 8), UInt8(code & 0xFF)] + reason
  }

  static func bigEndian(_ number: Int, octets: Int) -> [UInt8] {
    (0..<octets).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }

  /// A key as ``FrameHeader`` has it.
  static func word(_ key: [UInt8]) -> UInt32 {
    key.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }
}
