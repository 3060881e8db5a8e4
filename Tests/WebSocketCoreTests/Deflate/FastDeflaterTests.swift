import TestRandomness
import Testing

@testable import WebSocketCore

/// ISA-L's output, read by zlib.
@Suite struct FastDeflaterTests {
  private static func compress(_ message: [UInt8], _ deflater: FastDeflater) -> [UInt8]? {
    var output = GrowingBuffer()
    let isSmaller = message.withUnsafeBytes { deflater.compress($0, into: &output) }
    return isSmaller ? Array(output.bytes) : nil
  }

  /// Inflates into pieces so small that zlib must find what it refers back to in its window, and in no larger one.
  private static func inflate(_ compressed: [UInt8], _ inflater: Inflater, piece: Int) throws -> [UInt8] {
    inflater.reset()
    var input = (compressed + [0, 0, 0xFF, 0xFF])[...]
    var output: [UInt8] = []
    var room = [UInt8](repeating: 0, count: piece)
    while true {
      let result = input.withUnsafeBytes { input in
        room.withUnsafeMutableBytes { inflater.inflate(input, into: $0) }
      }
      let (taken, given) = try #require(result)
      input = input.dropFirst(taken)
      output += room[..<given]
      if input.isEmpty, given < piece { break }
    }
    return output
  }

  /// Repeats at all distances, text, and noise.
  private static func message(_ size: Int, _ random: inout SeededRandom) -> [UInt8] {
    var message: [UInt8] = []
    while message.count < size {
      switch Int.random(in: 0..<4, using: &random) {
      case 0: message += Array("{\"device\":\(message.count),\"temperature\":21.5},".utf8)
      case 1: message += (0..<30).map { _ in UInt8.random(in: 0...255, using: &random) }
      case 2: message += [UInt8](repeating: 7, count: Int.random(in: 1...600, using: &random))
      default:
        let start = Int.random(in: 0...message.count, using: &random)
        message += message[start...].prefix(300)
      }
    }
    return Array(message.prefix(size))
  }

  @Test(arguments: 8...15)
  func everyWindow(_ bits: Int) throws {
    var random = SeededRandom(seed: UInt64(bits))
    let inflater = Inflater(windowBits: bits)
    var count = 0
    for level in [1, 5] {
      let deflater = FastDeflater(level: level, windowBits: bits)
      for round in 0..<12 {
        let size = round < 10 ? Int.random(in: 0...2_000, using: &random) : round * 2_000
        let message = Self.message(size, &random)
        guard let compressed = Self.compress(message, deflater) else { continue }
        count += 1
        #expect(compressed.count < message.count)
        #expect(try Self.inflate(compressed, inflater, piece: 200) == message)
      }
    }
    #expect(count > 15)
  }

  @Test func whatIsNotSmallerIsToldSo() {
    let deflater = FastDeflater(level: 3, windowBits: 15)
    var random = SeededRandom(seed: 5)
    for size in [0, 1, 2, 10, 1_000, 70_000] {
      let noise = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(Self.compress(noise, deflater) == nil, "\(size)")
    }
    // Nothing of what was given up is in the next one.
    let text = Array(String(repeating: "hello ", count: 50).utf8)
    #expect(Self.compress(text, deflater) == Self.compress(text, FastDeflater(level: 3, windowBits: 15)))
    #expect(Self.compress(text, deflater)?.count ?? 99 < 20)
  }

  @Test func outputIsAppended() {
    var output = GrowingBuffer()
    output.copy([1, 2, 3])
    let text = [UInt8](repeating: 65, count: 100)
    #expect(text.withUnsafeBytes { FastDeflater(level: 1, windowBits: 15).compress($0, into: &output) })
    #expect(output.bytes.prefix(3).elementsEqual([1, 2, 3]) && output.count < 20)
  }
}
