/// Finds what a mistyped word was probably meant to be.
enum Suggestion {
  /// The candidate nearest to `word`, if it is near enough to be worth saying.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    let typed = normalised(word)
    guard !typed.isEmpty else { return nil }
    var best: (candidate: String, distance: Int)?
    for candidate in candidates {
      let known = normalised(candidate)
      // A beginning of the word counts as near: `--max` for `--max-message`.
      let distance =
        typed.count >= 3 && known.starts(with: typed) ? 1 : editDistance(typed, known)
      if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    guard let best, best.distance <= max(1, typed.count / 3) else { return nil }
    return best.candidate
  }

  /// `; did you mean X?`, or `fallback` when nothing is near.
  static func clause(
    for word: String, among candidates: [String], prefix: String = "", otherwise fallback: String = ""
  ) -> String {
    guard let near = nearest(to: word, among: candidates) else { return fallback }
    return "; did you mean \(prefix)\(near)?"
  }

  /// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours cost 1 each.
  static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 1...a.count {
      var row = [i]
      row.reserveCapacity(b.count + 1)
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        var distance = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          distance = min(distance, beforeLast[j - 2] + 1)
        }
        row.append(distance)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }

  /// Lower case, `_` as `-`, and bounded, so that a megabyte of nonsense costs nothing.
  private static func normalised(_ word: String) -> [UInt8] {
    word.utf8.prefix(64).map { byte in
      switch byte {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
      case UInt8(ascii: "_"): UInt8(ascii: "-")
      default: byte
      }
    }
  }
}
