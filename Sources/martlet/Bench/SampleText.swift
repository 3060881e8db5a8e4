/// Text as backends push it: JSON objects whose names repeat and whose values do not.
enum SampleText {
  /// As many different texts as do not fit in a compressor's window of 32 KiB, from 256 bytes each.
  static let count = 128

  /// The same on each run: `count` texts of `size` bytes each, cut where they end.
  static func messages(size: Int) -> [[UInt8]] {
    var random = SeededRandom(seed: 1)
    let words = [
      "north", "harbour", "sensor", "delayed", "queue", "amber", "river", "update", "market", "bay",
    ]
    return (0..<count).map { index in
      var text = "{\"sequence\":\(index),\"readings\":["
      while text.utf8.count < size {
        let device = words[Int.random(in: 0..<10, using: &random)]
        let state = words[Int.random(in: 0..<10, using: &random)]
        text += "{\"device\":\"\(device)-\(Int.random(in: 0..<10_000, using: &random))\","
        text += "\"value\":\(Int.random(in: 0..<1_000_000, using: &random)),\"state\":\"\(state)\"},"
      }
      return Array(text.utf8.prefix(size))
    }
  }
}
