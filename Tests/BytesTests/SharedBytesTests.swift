import Bytes
import Testing

@Suite struct SharedBytesTests {
  private struct Refused: Error, Equatable {}

  @Test func keepsWhatWasWritten() {
    let bytes = SharedBytes.make(capacity: 8) { buffer in
      buffer[0] = 5
      buffer[1] = 6
      return 2
    }
    #expect(bytes.count == 2)
    #expect(bytes.array == [5, 6])
    #expect(bytes.withUnsafeBytes { $0.count } == 2)
  }

  @Test(arguments: [0, 1, 7, 4_096])
  func copies(_ count: Int) {
    let source = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    #expect(SharedBytes.make(copying: source).array == source)
    #expect(source.withUnsafeBytes { SharedBytes.make(copying: $0) }.array == source)
  }

  @Test func passesErrorsOn() {
    #expect(throws: Refused()) {
      try SharedBytes.make(capacity: 1) { (_) throws(Refused) -> Int in throw Refused() }
    }
  }
}
