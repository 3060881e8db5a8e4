/// What a fuzzer runs: a function of any bytes, which throws where a property does not hold.
struct FuzzTarget: Sendable {
  let name: String
  let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

  init(_ name: String, _ run: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) {
    self.name = name
    self.run = run
  }

  static let all: [FuzzTarget] =
    frameTargets + messageTargets + textTargets + jsonTargets + httpTargets + urlTargets + handshakeTargets
    + deflateTargets + proxyTargets + commandTargets + protobufTargets + connectionTargets + clientTargets
    + shellTargets + routeTargets + sessionTargets + tlsTargets + deltaTargets
    + transportTargets + expressionTargets
}

/// A property that does not hold.
struct BrokenProperty: Error, CustomStringConvertible {
  let description: String
}

/// Says that a property holds.
func hold(_ condition: Bool, _ property: @autoclosure () -> String) throws(BrokenProperty) {
  guard condition else { throw BrokenProperty(description: property()) }
}

/// Says that two ways lead to the same.
func equal<Value: Equatable>(_ a: Value, _ b: Value, _ property: String) throws(BrokenProperty) {
  guard a == b else { throw BrokenProperty(description: "\(property): \(a) is not \(b)") }
}
