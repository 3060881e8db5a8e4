/// A regular expression over channel names, in a subset of RE2's syntax. It matches anywhere in a name unless `^` or `$` say
/// otherwise, letter by letter (Unicode scalars).
///
/// There is no backtracking: all ways through the expression are followed at once (K. Thompson, 1968), so that the time is at
/// most instructions × letters, whatever the expression.
public struct RegularExpression: Sendable {
  /// The longest expression, in letters.
  public static let maximumLetters = 255
  /// Groups within groups.
  static let maximumDepth = 32
  /// The most repetitions that a number in braces may ask for.
  static let maximumRepetitions = 1_000

  enum Instruction: Sendable, Equatable {
    /// Takes this letter.
    case letter(UInt32)
    /// Takes any letter but a line feed.
    case any
    /// Takes a letter of `classes`.
    case ofClass(Int)
    /// Goes on only at the beginning, or only at the end.
    case atStart, atEnd
    /// Goes on at both places.
    case split(Int, Int)
    case jump(Int)
    case match
  }

  let program: [Instruction]
  let classes: [LetterClass]

  /// The size of the compiled expression.
  public var instructionCount: Int { program.count }

  /// Compiles an expression.
  ///
  /// - Parameters:
  ///   - text: letters for themselves, `.`, `[…]`, `\d \w \s` and their opposites, `^ $ \A \z`, groups `(…)` and `(?:…)`, `|`,
  ///     `* + ? {n} {n,} {n,m}`, also with a `?` behind.
  ///   - maximumInstructions: the largest program that is made.
  /// - Throws: what is wrong with it, or not supported.
  public init(_ text: String, maximumInstructions: Int = 1_024) throws(RegularExpressionError) {
    let letters = text.unicodeScalars.map(\.value)
    guard letters.count <= Self.maximumLetters else {
      throw RegularExpressionError("it has more than \(Self.maximumLetters) letters")
    }
    var parser = RegularExpressionParser(letters)
    let node = try parser.parse()
    var compiler = RegularExpressionCompiler(maximumInstructions: maximumInstructions)
    try compiler.emit(node)
    try compiler.append(.match)
    program = compiler.program
    classes = compiler.classes
  }

  /// Whether the expression fits somewhere in a name.
  public func matches(_ name: String) -> Bool {
    var run = Run(program)
    let letters = Array(name.unicodeScalars)
    for (place, letter) in letters.enumerated() {
      // A match may begin anywhere.
      run.add(0, program, isStart: place == 0, isEnd: false)
      if run.hasMatched { return true }
      run.advance(self, letter.value, isEnd: place + 1 == letters.count)
      if run.hasMatched { return true }
    }
    run.add(0, program, isStart: letters.isEmpty, isEnd: true)
    return run.hasMatched
  }

  /// The places in the program that are being followed; each at most once.
  private struct Run {
    private var current: [Int] = []
    private var next: [Int] = []
    /// For each instruction the step in which it was last added.
    private var added: [Int]
    private var step = 1
    /// What is still to be followed without taking a letter.
    private var pending: [Int] = []
    private(set) var hasMatched = false

    init(_ program: [Instruction]) { added = [Int](repeating: 0, count: program.count) }

    /// Follows what takes no letter.
    mutating func add(_ start: Int, _ program: [Instruction], isStart: Bool, isEnd: Bool) {
      pending.append(start)
      while let place = pending.popLast() {
        guard added[place] != step else { continue }
        added[place] = step
        switch program[place] {
        case .jump(let target): pending.append(target)
        case .split(let first, let second):
          pending.append(second)
          pending.append(first)
        case .atStart: if isStart { pending.append(place + 1) }
        case .atEnd: if isEnd { pending.append(place + 1) }
        case .match: hasMatched = true
        case .letter, .any, .ofClass: current.append(place)
        }
      }
    }

    /// Takes a letter; `isEnd`: it is the last one.
    mutating func advance(_ expression: RegularExpression, _ letter: UInt32, isEnd: Bool) {
      swap(&current, &next)
      current.removeAll(keepingCapacity: true)
      step += 1
      for place in next {
        let isTaken =
          switch expression.program[place] {
          case .letter(let wanted): wanted == letter
          case .any: letter != 0x0A
          case .ofClass(let index): expression.classes[index].contains(letter)
          default: false
          }
        if isTaken { add(place + 1, expression.program, isStart: false, isEnd: isEnd) }
      }
    }
  }
}

/// Why a regular expression cannot be used; completes “the regular expression … cannot be used:”.
public struct RegularExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Part of a sentence.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Letters that fit one place: `[a-z_]`.
struct LetterClass: Sendable, Equatable {
  var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  func contains(_ letter: UInt32) -> Bool { ranges.contains { $0.contains(letter) } != isNegated }

  /// `\d`, `\w` and `\s`, in ASCII as in RE2.
  static let digits = LetterClass(ranges: [0x30...0x39])
  static let word = LetterClass(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = LetterClass(ranges: [0x09...0x0A, 0x0C...0x0D, 0x20...0x20])

  /// All letters that are not in it, as ranges.
  var complement: LetterClass {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = max(next, range.upperBound + 1)
    }
    if next <= 0x10FFFF { result.append(next...0x10FFFF) }
    return LetterClass(ranges: result)
  }
}
