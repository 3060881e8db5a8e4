import Bytes

let textTargets = [
  FuzzTarget("utf8") { try checkUTF8(Pieces($0)) },
  FuzzTarget("base64", checkBase64),
]

/// The validator agrees with the standard library, in pieces and whole, and says no as early as can be.
private func checkUTF8(_ input: Pieces) throws {
  let whole = input.stream.withUnsafeBytes { UTF8Validator.validate($0) }
  try equal(whole, String(validating: input.stream, as: UTF8.self) != nil, "the standard library's word")
  var validator = UTF8Validator()
  var taken: [UInt8] = []
  var isBroken = false
  for piece in input.cut where !isBroken {
    isBroken = !piece.withUnsafeBytes { validator.append($0) }
    taken += piece
    let isValid = String(validating: taken, as: UTF8.self) != nil
    try equal(!isBroken && validator.isComplete, isValid, "the standard library's word of a beginning")
    // A beginning that is not refused can become valid.
    guard !isBroken, !isValid else { continue }
    let endings: [[UInt8]] = [[0x80], [0x80, 0x80], [0x80, 0x80, 0x80], [0xA0, 0x80], [0x90, 0x80, 0x80]]
    try hold(
      endings.contains { String(validating: taken + $0, as: UTF8.self) != nil },
      "what is not refused can become valid")
  }
}

private func checkBase64(_ input: UnsafeRawBufferPointer) throws {
  for alphabet in [Base64.Alphabet.standard, .url] {
    for padding in [true, false] {
      let text = Base64.encode(input, alphabet: alphabet, padding: padding)
      try equal(
        Base64.decode(text, alphabet: alphabet, padding: padding), Array(input), "decoding what was encoded")
      try equal(
        text.utf8.count, padding ? (input.count + 2) / 3 * 4 : (input.count * 8 + 5) / 6, "its length")
      // Strict: there is one text for each value.
      guard let bytes = Base64.decode(input, alphabet: alphabet, padding: padding) else { continue }
      let again = Base64.encode(bytes, alphabet: alphabet, padding: padding)
      try hold(again.utf8.elementsEqual(input), "encoding what was decoded")
    }
  }
}
