/// Text as backends push it: JSON objects whose names repeat and whose values do not.
enum SampleText {
  /// The same on each run.
  static func messages(_ count: Int, size: Int) -> [[UInt8]] {
    var state: UInt64 = 88_172_645_463_325_252
    func number(_ limit: UInt64) -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state % limit
    }
    let words = [
      "north", "harbour", "sensor", "delayed", "queue", "amber", "river", "update", "market", "bay",
    ]
    return (0..<count).map { index in
      var text = "{\"sequence\":\(index),\"readings\":["
      while text.utf8.count < size {
        text += "{\"device\":\"\(words[Int(number(10))])-\(number(10_000))\",\"value\":\(number(1_000_000)),"
        text += "\"unit\":\"celsius\",\"state\":\"\(words[Int(number(10))])\"},"
      }
      return Array(text.utf8.prefix(size))
    }
  }
}
