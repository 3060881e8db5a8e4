import Bytes
import Testing

@Suite struct ConstantTimeTests {
  @Test func comparesBytes() {
    let secret = Array("a secret of some length".utf8)
    #expect(ConstantTime.equal(secret, secret))
    #expect(ConstantTime.equal([], []))
    #expect(ConstantTime.equal("a".utf8, [0x61]))
    #expect(!ConstantTime.equal(secret, []) && !ConstantTime.equal([], secret))
    #expect(!ConstantTime.equal(secret, secret.dropLast()) && !ConstantTime.equal(secret, secret + [0]))
  }

  /// One bit anywhere is a difference, and two do not cancel each other.
  @Test func everyBitCounts() {
    let zeros = [UInt8](repeating: 0, count: 20)
    for index in zeros.indices {
      for bit in 0..<8 {
        var other = zeros
        other[index] = 1 << UInt8(bit)
        #expect(!ConstantTime.equal(zeros, other))
        other[(index + 1) % 20] = 1 << UInt8(bit)
        #expect(!ConstantTime.equal(zeros, other))
      }
    }
  }
}
