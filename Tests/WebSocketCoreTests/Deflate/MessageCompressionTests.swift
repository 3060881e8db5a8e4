import TestRandomness
import Testing

@testable import WebSocketCore

@Suite struct MessageCompressionTests {
  private static let both = DeflateAgreement()
  private static let none = DeflateAgreement(sendsWithContext: false, receivesWithContext: false)

  private static func compress(_ message: [UInt8], _ compression: MessageCompression) -> [UInt8]? {
    message.withUnsafeBytes { compression.compress($0) { Array($0) } }
  }

  private static func json(_ index: Int) -> [UInt8] {
    Array(String(repeating: "{\"device\":\(index),\"temperature\":21.5},", count: 20).utf8)
  }

  /// RFC 7692 §7.2.3.1: "Hello" by zlib's static Huffman codes.
  @Test func theExampleOfTheRFC() {
    let options = DeflateOptions(level: 6, minimumBytes: 0, sendsWithContext: true)
    let compression = CompressionPool().compression(Self.both, options)
    #expect(Self.compress(Array("Hello".utf8), compression) == [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00])
    // §7.2.3.2: the second one refers to the first.
    #expect(Self.compress(Array("Hello".utf8), compression) == [0xF2, 0x00, 0x11, 0x00, 0x00])
    compression.sentPrepared()
    #expect(Self.compress(Array("Hello".utf8), compression) == [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00])
  }

  @Test func smallMessagesStayAsTheyAre() {
    let compression = CompressionPool().compression(Self.none, DeflateOptions(minimumBytes: 100))
    #expect(Self.compress([UInt8](repeating: 7, count: 99), compression) == nil)
    #expect(Self.compress([UInt8](repeating: 7, count: 100), compression) != nil)
  }

  @Test func whatDoesNotBecomeSmallerStaysAsItIs() {
    var random = SeededRandom(seed: 3)
    let noise = (0..<1_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(Self.compress(noise, CompressionPool().compression(Self.none, .standard)) == nil)
    // With context the window has it already.
    #expect(Self.compress(noise, CompressionPool().compression(Self.both, .standard)) != nil)
  }

  @Test func connectionsWithoutContextShareOneObject() {
    let pool = CompressionPool()
    let first = pool.compression(Self.none, .standard)
    #expect(first === pool.compression(Self.none, .standard))
    #expect(first !== pool.compression(Self.none, DeflateOptions(level: 9)))
    #expect(pool.compression(Self.both, .standard) !== pool.compression(Self.both, .standard))
  }

  @Test func aPoolIsFreedWithItsConnections() {
    weak var pool: CompressionPool?
    do {
      let made = CompressionPool()
      pool = made
      #expect(Self.compress([UInt8](repeating: 1, count: 999), made.compression(Self.none, .standard)) != nil)
    }
    #expect(pool == nil)
  }

  /// Every level, window and context: what is compressed comes back, also through a window of the size agreed on.
  @Test(arguments: 8...15, [false, true])
  func roundTrips(_ bits: Int, _ context: Bool) throws {
    var random = SeededRandom(seed: UInt64(bits))
    for level in [1, 3, 5, 6, 9] {
      let options = DeflateOptions(level: level, minimumBytes: 0)
      let agreement = DeflateAgreement(
        sendsWithContext: context, receivesWithContext: context, sendWindowBits: bits, receiveWindowBits: bits
      )
      let pool = CompressionPool()
      let sender = pool.compression(agreement, options)
      let inflater = Inflater(windowBits: bits)
      for round in 0..<20 {
        let size = Int.random(in: 0...5_000, using: &random)
        let noise = (0..<size).map { _ in UInt8.random(in: 0...7, using: &random) }
        let message = Self.json(round) + noise + Self.json(round)
        guard let compressed = Self.compress(message, sender) else { continue }
        if !context { inflater.reset() }
        #expect(try Self.inflate(compressed, inflater) == message)
      }
    }
  }

  @Test func fragmentsAreOneMessage() throws {
    for context in [true, false] {
      let agreement = DeflateAgreement(sendsWithContext: context, receivesWithContext: context)
      let compression = CompressionPool().compression(agreement, DeflateOptions(minimumBytes: 0))
      let fragments = FragmentCompressor(compression)
      let parts: [[UInt8]] = [Self.json(1), [], Self.json(2), []]
      var stream: [UInt8] = []
      for (index, part) in parts.enumerated() {
        let isFinal = index == parts.count - 1
        stream += part.withUnsafeBytes { fragments.compress($0, isFinal: isFinal) { Array($0) } }
        // Between two fragments another connection compresses.
        if !context { _ = Self.compress(Self.json(9), compression) }
      }
      // §7.2.3.6: the final fragment was empty.
      #expect(stream.last == 0)
      #expect(try Self.inflate(stream, Inflater(windowBits: 15)) == parts.flatMap { $0 })
    }
  }

  private static func inflate(_ message: [UInt8], _ inflater: Inflater) throws -> [UInt8] {
    var output = [UInt8](repeating: 0, count: 100_000)
    let input = message + [0, 0, 0xFF, 0xFF]
    let result = input.withUnsafeBytes { input in
      output.withUnsafeMutableBytes { inflater.inflate(input, into: $0) }
    }
    let (taken, given) = try #require(result)
    #expect(taken == input.count && inflater.isAtBlockEnd)
    return Array(output[..<given])
  }
}
