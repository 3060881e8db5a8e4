import Bytes
import CZlib
import EventLoops
import Realtime
import Testing
import WebSocketCore

@testable import Gateways

/// Publications that are compressed once for many.
@Suite struct CompressedEncodingTests {
  private static let info = ClientInfo(client: "c1", user: "ann")

  private static func publication(_ json: String) -> Publication {
    Publication(data: bytes(json), offset: 7, timestampMilliseconds: 0)
  }

  /// What zlib makes of a frame's payload and the four octets of RFC 7692 §7.2.2.
  static func inflate(_ frame: [UInt8]) -> String {
    var input = frame.dropFirst(frame[1] == 126 ? 4 : 2) + [0, 0, 0xFF, 0xFF]
    var output = [UInt8](repeating: 0, count: 100_000)
    var stream = z_stream()
    inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    let count = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        stream.next_in = input.baseAddress
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.baseAddress
        stream.avail_out = UInt32(output.count)
        #expect(CZlib.inflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0)
        return output.count - Int(stream.avail_out)
      }
    }
    inflateEnd(&stream)
    return String(decoding: output[..<count], as: UTF8.self)
  }

  @Test func framesInflateToTheTextOfTheBase() {
    let counters = CompressionCounters()
    let encoding = CompressedEncoding(
      CentrifugoJSONEncoding(), DeflateOptions(minimumBytes: 0), counters: counters)
    let text = String(repeating: "tick ", count: 100)
    let frame = encoding.publication(Self.publication("\"\(text)\""), channel: "x").array
    #expect(frame[0] == 0xC1 && frame.count < 100)
    #expect(Self.inflate(frame) == #"{"push":{"channel":"x","pub":{"offset":7,"data":"\#(text)"}}}"#)
    let user = String(repeating: "a", count: 200)
    let someone = ClientInfo(client: "c", user: user)
    for (frame, name) in [
      (encoding.joined(someone, channel: "x").array, "join"),
      (encoding.left(someone, channel: "x").array, "leave"),
    ] {
      #expect(frame[0] == 0xC1)
      let info = "{\"user\":\"\(user)\",\"client\":\"c\"}"
      #expect(Self.inflate(frame) == "{\"push\":{\"channel\":\"x\",\"\(name)\":{\"info\":\(info)}}}")
    }
    #expect(counters["shared_frames_compressed"] == 3)
    let plain = CentrifugoJSONEncoding().publication(Self.publication("\"\(text)\""), channel: "x")
    #expect(counters["shared_bytes_before_compression"] > UInt64(plain.count))
    #expect(counters["shared_bytes_after_compression"] < 300)
  }

  @Test func whatIsSmallStaysAsItIs() {
    let base = CentrifugoJSONEncoding()
    let publication = Self.publication("\"\(String(repeating: "a", count: 100))\"")
    let plain = base.publication(publication, channel: "x")
    let payload = plain.count - (plain.array[1] == 126 ? 4 : 2)
    for (threshold, first) in [(payload + 1, UInt8(0x81)), (payload, 0xC1), (payload - 1, 0xC1)] {
      let counters = CompressionCounters()
      let encoding = CompressedEncoding(base, DeflateOptions(minimumBytes: threshold), counters: counters)
      let frame = encoding.publication(publication, channel: "x").array
      #expect(frame[0] == first, "\(threshold)")
      if first == 0x81 { #expect(frame == plain.array) }
      #expect(counters["shared_frames_compressed"] == (first == 0xC1 ? 1 : 0))
    }
    // It would become larger.
    var state: UInt32 = 1
    let random = (0..<2_000).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return UInt8(state >> 24)
    }
    let noise = Publication(data: SharedBytes.make(copying: random), offset: 0, timestampMilliseconds: 0)
    let eager = CompressedEncoding(base, DeflateOptions(minimumBytes: 0))
    #expect(eager.publication(noise, channel: "x").array == base.publication(noise, channel: "x").array)
  }

  @Test func suitsConnectionsWithoutContextWhoseWindowIsLargeEnough() {
    let encoding = CompressedEncoding(CentrifugoJSONEncoding(), DeflateOptions(sendWindowBits: 12))
    #expect(!encoding.suits(nil))
    for (context, bits, suits) in [
      (false, 12, true), (false, 15, true), (false, 11, false), (true, 15, false),
    ] {
      let agreement = DeflateAgreement(sendsWithContext: context, sendWindowBits: bits)
      #expect(encoding.suits(agreement) == suits, "\(context) \(bits)")
    }
  }

  /// A subscriber that keeps what it gets.
  private final class Listener: Subscriber, @unchecked Sendable {
    var frames: [SharedBytes] = []
    override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
      frames.append(frame)
    }
  }

  /// A thousand compressed subscribers on two loops and one plain one; the channel is the first loop's.
  @Test func aFanOutCompressesOnce() throws {
    let counters = CompressionCounters()
    let base = CentrifugoJSONEncoding()
    let network = SimulatedNetwork()
    let loops = (0..<2).map { _ in network.makeLoop() }
    var everyone = NamespaceOptions()
    everyone.subscribe = .everyone
    let hub = Hub(
      loops: loops, namespaces: Namespaces(default: everyone),
      encodings: [base, CompressedEncoding(base, .standard, counters: counters)], wallClock: { 0 },
      randomBits: { 35 })
    let listeners = (0...1_000).map {
      Listener(loop: loops[$0 % 2], info: ClientInfo(client: "\($0)", user: "u"), encoding: $0 == 0 ? 0 : 1)
    }
    let text = String(repeating: "tick ", count: 100)
    func publish() {
      loops[0].execute {
        hub.publish(PublishRequest(data: bytes("\"\(text)\"")), to: "x", as: .server) { _ in }
      }
      network.runUntilIdle()
    }
    func subscribe(_ listener: Listener) {
      listener.loop.execute {
        hub.add(listener)
        hub.subscribe(listener, to: "x") { result in
          if case .failure(let error) = result { Issue.record("\(error)") }
        }
      }
    }
    subscribe(listeners[0])
    network.runUntilIdle()
    publish()
    #expect(counters["shared_frames_compressed"] == 0)
    listeners.dropFirst().forEach(subscribe)
    network.runUntilIdle()
    publish()
    #expect(counters["shared_frames_compressed"] == 1)
    let frame = try #require(listeners[1].frames.first)
    #expect(Self.inflate(frame.array) == #"{"push":{"channel":"x","pub":{"data":"\#(text)"}}}"#)
    let address = frame.withUnsafeBytes { $0.baseAddress }
    for listener in listeners.dropFirst() {
      #expect(listener.frames.count == 1 && listener.frames[0].withUnsafeBytes { $0.baseAddress } == address)
    }
    #expect(listeners[0].frames.map { $0.array[0] } == [0x81, 0x81])
    for listener in listeners { listener.loop.execute { hub.remove(listener) } }
    network.runUntilIdle()
  }
}

extension CompressionCounters {
  subscript(name: String) -> UInt64 { values.first { $0.name == name }?.value ?? 0 }
}
