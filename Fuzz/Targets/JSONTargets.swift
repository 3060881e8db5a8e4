import JSON

let jsonTargets = [FuzzTarget("json", checkJSON)]

/// All ways to read a text agree, and what was read is written so that it is read the same.
private func checkJSON(_ input: UnsafeRawBufferPointer) throws {
  let text = Array(input)
  let isValid = (try? JSONText.validate(input, maximumDepth: 20)) != nil
  do {
    let value = try JSONValue(parsing: text, maximumDepth: 20)
    try hold(isValid, "what is read is valid")
    try hold(String(validating: text, as: UTF8.self) != nil, "what is valid is UTF-8")
    // 0.0 is written as 0, which is a whole number when it is read.
    try equal(try JSONValue(parsing: value.encoded).encoded, value.encoded, "writing what was written")
    try checkCompact(input, value)
  } catch let error as JSONError {
    try hold(error.offset >= 0 && error.offset <= text.count, "the place is in the text")
    // A number beyond what a Double holds is valid, and can be handed on, but not read.
    try hold(!isValid || error.code == .mismatch, "what is valid is read: \(error)")
  }
}

private func checkCompact(_ input: UnsafeRawBufferPointer, _ value: JSONValue) throws {
  let compact = JSONText.compact(input)
  try hold(compact.allSatisfy { $0 != 0x0A && $0 != 0x0D }, "a compact text has no line break")
  try equal(try JSONValue(parsing: compact), value, "reading the compact text")
  let again = compact.withUnsafeBytes { JSONText.compact($0) }
  try equal(again, compact, "a compact text stays as it is")
}
