/// An input whose first byte says how the rest of it is cut: 0 stands for single bytes.
struct Pieces {
  let stream: [UInt8]
  private let seed: UInt8

  init(_ input: UnsafeRawBufferPointer) {
    seed = input.first ?? 0
    stream = Array(input.dropFirst())
  }

  /// The stream in pieces.
  var cut: [ArraySlice<UInt8>] { cutting(stream) }

  /// Another stream in pieces of the same sizes.
  func cutting(_ stream: [UInt8]) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var state = UInt64(seed)
    var start = 0
    while start < stream.count {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      // Mostly short pieces, some long ones.
      let length = seed == 0 ? 1 : 1 + Int(state >> 33) % (1 << (1 + Int(state >> 60)))
      let end = min(start + length, stream.count)
      pieces.append(stream[start..<end])
      start = end
    }
    return pieces
  }
}
