import Testing

@testable import martlet

@Suite("Mark of a publication") struct PublicationMarkTests {
  private func written(_ mark: PublicationMark, run: UInt16 = 0xAB) -> [UInt8] {
    var bytes = [UInt8](repeating: PublicationMark.filler, count: 48)
    mark.write(prefix: PublicationMark.prefix(run: run), into: &bytes)
    return bytes
  }

  @Test("Is written as hexadecimal digits behind the run's prefix")
  func text() {
    let bytes = written(.init(number: 0x1F, time: 0x0123_4567_89AB_CDEF))
    #expect(String(decoding: bytes, as: UTF8.self) == "mb00ab:000000000000001f0123456789abcdefxxxxxxxxx")
    #expect(PublicationMark.minimumCount == 39)
  }

  @Test("Reads back what was written")
  func roundTrip() {
    var random = SeededRandom(seed: 11)
    for _ in 0..<1_000 {
      let mark = PublicationMark(number: random.next(), time: random.next())
      let read = written(mark).withUnsafeBytes { bytes in
        bytes.baseAddress.map { PublicationMark(behindPrefix: $0 + PublicationMark.prefixCount) }
      }
      #expect(read == mark)
    }
  }

  @Test("Bytes that are no digits are some number, not a trap")
  func garbage() {
    var random = SeededRandom(seed: 12)
    for _ in 0..<1_000 {
      let bytes = (0..<39).map { _ in UInt8.random(in: 0...255, using: &random) }
      bytes.withUnsafeBytes { buffer in
        _ = buffer.baseAddress.map { PublicationMark(behindPrefix: $0 + PublicationMark.prefixCount) }
      }
    }
  }

  @Test("Commands and requests carry it as a JSON string")
  func commands() {
    let options = FanOutOptions()
    #expect(
      String(decoding: options.command(id: 3, Array("mb".utf8)), as: UTF8.self)
        == #"{"id":3,"publish":{"channel":"news:bench","data":"mb"}}"#)
    #expect(
      String(decoding: options.apiRequest(Array("mb".utf8)), as: UTF8.self)
        == #"{"channel":"news:bench","data":"mb"}"#)
    #expect(
      String(decoding: CentrifugoSubscriber.greeting(channel: "a", token: "t"), as: UTF8.self)
        == "{\"id\":1,\"connect\":{\"token\":\"t\"}}\n{\"id\":2,\"subscribe\":{\"channel\":\"a\"}}")
  }
}
