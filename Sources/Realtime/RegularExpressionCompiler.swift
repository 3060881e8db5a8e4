/// Makes a program of a tree. Both its size and the work to make it are bounded.
struct RegularExpressionCompiler {
  private(set) var program: [RegularExpression.Instruction] = []
  private(set) var classes: [LetterClass] = []
  private let maximumInstructions: Int
  /// Nodes that were looked at: nothing, repeated often, makes no instructions and takes its time all the same.
  private var steps = 0

  init(maximumInstructions: Int) { self.maximumInstructions = maximumInstructions }

  mutating func append(_ instruction: RegularExpression.Instruction) throws(RegularExpressionError) {
    guard program.count < maximumInstructions else { throw tooLarge }
    program.append(instruction)
  }

  private var tooLarge: RegularExpressionError {
    RegularExpressionError("it takes more than \(maximumInstructions) instructions")
  }

  mutating func emit(_ node: RegularExpressionNode) throws(RegularExpressionError) {
    steps += 1
    guard steps <= maximumInstructions * 8 + RegularExpression.maximumLetters else { throw tooLarge }
    switch node {
    case .letter(let letter): try append(.letter(letter))
    case .any: try append(.any)
    case .ofClass(let letters):
      try append(.ofClass(classes.count))
      classes.append(letters)
    case .atStart: try append(.atStart)
    case .atEnd: try append(.atEnd)
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .either(let nodes): try emit(either: nodes[...])
    case .repeated(let node, let least, let most): try emit(node, least, most)
    }
  }

  private mutating func emit(
    either nodes: ArraySlice<RegularExpressionNode>
  ) throws(RegularExpressionError) {
    var ends: [Int] = []
    for node in nodes.dropLast() {
      let split = program.count
      try append(.split(split + 1, 0))
      try emit(node)
      ends.append(program.count)
      try append(.jump(0))
      program[split] = .split(split + 1, program.count)
    }
    if let last = nodes.last { try emit(last) }
    for end in ends { program[end] = .jump(program.count) }
  }

  private mutating func emit(
    _ node: RegularExpressionNode, _ least: Int, _ most: Int?
  ) throws(RegularExpressionError) {
    for _ in 0..<least { try emit(node) }
    guard let most else {
      let split = program.count
      try append(.split(split + 1, 0))
      try emit(node)
      try append(.jump(split))
      program[split] = .split(split + 1, program.count)
      return
    }
    var splits: [Int] = []
    for _ in least..<most {
      splits.append(program.count)
      try append(.split(program.count + 1, 0))
      try emit(node)
    }
    for split in splits { program[split] = .split(split + 1, program.count) }
  }
}
