import Glibc

// What libFuzzer calls; see scripts/fuzz. In the tests' program nobody does.

/// Set once, before the first input.
nonisolated(unsafe) private var target = FuzzTarget("none") { _ in }

/// Chooses the target that the environment names; any other name lists them.
@_cdecl("LLVMFuzzerInitialize")
func fuzzerInitialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> Int32 {
  let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
    for target in FuzzTarget.all { print(target.name) }
    exit(name == "list" ? 0 : 2)
  }
  target = found
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzerTestOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int32 {
  do {
    try target.run(UnsafeRawBufferPointer(start: bytes, count: count))
  } catch {
    print("\nbroken property of \(target.name): \(error)")
    fflush(nil)
    abort()
  }
  return 0
}
