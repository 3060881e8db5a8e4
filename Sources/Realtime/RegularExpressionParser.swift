/// A regular expression as a tree.
indirect enum RegularExpressionNode {
  case letter(UInt32)
  case any
  case ofClass(LetterClass)
  case atStart, atEnd
  case sequence([RegularExpressionNode])
  case either([RegularExpressionNode])
  /// So many times; nil: any number of times.
  case repeated(RegularExpressionNode, Int, Int?)
}

/// Reads regular expressions. Depth and length are bounded.
struct RegularExpressionParser {
  private let letters: [UInt32]
  private var place = 0
  private var depth = 0

  init(_ letters: [UInt32]) { self.letters = letters }

  mutating func parse() throws(RegularExpressionError) -> RegularExpressionNode {
    let node = try alternatives()
    guard place == letters.count else { throw RegularExpressionError("it has a ) without a (") }
    return node
  }

  private var next: UInt32? { place < letters.count ? letters[place] : nil }

  private mutating func take(_ letter: Unicode.Scalar) -> Bool {
    guard next == letter.value else { return false }
    place += 1
    return true
  }

  private mutating func alternatives() throws(RegularExpressionError) -> RegularExpressionNode {
    var nodes = [try sequence()]
    while take("|") { nodes.append(try sequence()) }
    return nodes.count == 1 ? nodes[0] : .either(nodes)
  }

  private mutating func sequence() throws(RegularExpressionError) -> RegularExpressionNode {
    var nodes: [RegularExpressionNode] = []
    while let letter = next, letter != 0x7C, letter != 0x29 {
      let node = try atom()
      nodes.append(try repetition(of: node))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func repetition(
    of node: RegularExpressionNode
  ) throws(RegularExpressionError) -> RegularExpressionNode {
    guard let (least, most) = try quantifier() else { return node }
    // Which of several matches is found does not matter here, only whether there is one.
    _ = take("?")
    if try quantifier() != nil { throw RegularExpressionError("a repetition follows a repetition") }
    return .repeated(node, least, most)
  }

  private mutating func quantifier() throws(RegularExpressionError) -> (Int, Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = place
    guard take("{") else { return nil }
    guard let least = number() else {
      // As in RE2, a brace that begins no number stands for itself.
      place = start
      return nil
    }
    var most: Int? = least
    if take(",") { most = number() }
    guard take("}") else {
      place = start
      return nil
    }
    let limit = RegularExpression.maximumRepetitions
    guard least <= limit, most ?? 0 <= limit else {
      throw RegularExpressionError("it repeats something more than \(limit) times")
    }
    guard most.map({ least <= $0 }) ?? true else {
      throw RegularExpressionError("a repetition asks for at least \(least) and at most \(most ?? 0)")
    }
    return (least, most)
  }

  /// Digits; numbers that are larger than any limit are all the same.
  private mutating func number() -> Int? {
    var value: Int?
    while let letter = next, (0x30...0x39).contains(letter) {
      value = min((value ?? 0) * 10 + Int(letter - 0x30), 1_000_000)
      place += 1
    }
    return value
  }

  private mutating func atom() throws(RegularExpressionError) -> RegularExpressionNode {
    guard let letter = next else { return .sequence([]) }
    place += 1
    switch Unicode.Scalar(letter) {
    case "(": return try group()
    case "[": return .ofClass(try letterClass())
    case ".": return .any
    case "^": return .atStart
    case "$": return .atEnd
    case "*", "+", "?": throw RegularExpressionError("a repetition has nothing to repeat")
    case "\\": return try escape()
    default: return .letter(letter)
    }
  }

  private mutating func group() throws(RegularExpressionError) -> RegularExpressionNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= RegularExpression.maximumDepth else {
      throw RegularExpressionError("groups are deeper than \(RegularExpression.maximumDepth)")
    }
    if take("?") {
      guard take(":") else { throw RegularExpressionError("(? is not supported, except (?:…)") }
    }
    let node = try alternatives()
    guard take(")") else { throw RegularExpressionError("it has a ( that is not closed") }
    return node
  }

  private mutating func escape() throws(RegularExpressionError) -> RegularExpressionNode {
    guard let letter = next else { throw RegularExpressionError("it ends with a \\") }
    if take("A") { return .atStart }
    if take("z") { return .atEnd }
    if let known = Self.classes[letter] {
      place += 1
      return .ofClass(known)
    }
    return .letter(try escapedLetter())
  }

  private mutating func escapedLetter() throws(RegularExpressionError) -> UInt32 {
    guard let letter = next else { throw RegularExpressionError("it ends with a \\") }
    place += 1
    if let control = Self.controls[letter] { return control }
    let isPunctuation =
      letter < 0x80 && !LetterClass.word.contains(letter) && letter > 0x20 && letter != 0x7F
    guard isPunctuation || letter == 0x5F else {
      throw RegularExpressionError(
        "\\\(Unicode.Scalar(letter).map { String(Character($0)) } ?? "") is not supported")
    }
    return letter
  }

  private static let classes: [UInt32: LetterClass] = [
    0x64: .digits, 0x77: .word, 0x73: .space, 0x44: LetterClass.digits.complement,
    0x57: LetterClass.word.complement, 0x53: LetterClass.space.complement,
  ]

  /// `\t`, `\n`, `\r`, `\f`, `\v`, `\a`
  private static let controls: [UInt32: UInt32] = [
    0x74: 9, 0x6E: 10, 0x72: 13, 0x66: 12, 0x76: 11, 0x61: 7,
  ]

  // MARK: Classes

  /// Behind the bracket.
  private mutating func letterClass() throws(RegularExpressionError) -> LetterClass {
    var result = LetterClass(isNegated: take("^"))
    var isFirst = true
    while let letter = next {
      // A bracket that is the first one stands for itself.
      if letter == 0x5D, !isFirst {
        place += 1
        return result
      }
      isFirst = false
      try addMember(to: &result)
    }
    throw RegularExpressionError("it has a [ that is not closed")
  }

  private mutating func addMember(to result: inout LetterClass) throws(RegularExpressionError) {
    if next == 0x5C, place + 1 < letters.count, let known = Self.classes[letters[place + 1]] {
      place += 2
      result.ranges += known.ranges
      return
    }
    let first = try member()
    guard next == 0x2D, place + 1 < letters.count, letters[place + 1] != 0x5D else {
      result.ranges.append(first...first)
      return
    }
    place += 1
    if next == 0x5C, place + 1 < letters.count, Self.classes[letters[place + 1]] != nil {
      throw RegularExpressionError("a range in […] ends with a class")
    }
    let last = try member()
    guard first <= last else { throw RegularExpressionError("a range in […] ends before it begins") }
    result.ranges.append(first...last)
  }

  private mutating func member() throws(RegularExpressionError) -> UInt32 {
    guard let letter = next else { throw RegularExpressionError("it has a [ that is not closed") }
    if letter == 0x5B, place + 1 < letters.count, letters[place + 1] == 0x3A {
      throw RegularExpressionError("[:…:] is not supported")
    }
    place += 1
    return letter == 0x5C ? try escapedLetter() : letter
  }
}
