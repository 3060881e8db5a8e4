// swift-tools-version: 6.2
import Glibc
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .treatAllWarnings(as: .error),
]

/// How the program is linked: with the parts of Swift's libraries in it that it would otherwise map whole, and relative
/// relocations in a twentieth of the space (docs/performance.md, "Memory at start"). lld is part of the toolchain.
let lean: [LinkerSetting] = {
  var flags = ["-static-stdlib", "-use-ld=lld", "-Xlinker", "--no-export-dynamic"]
  if glibcReadsPackedRelocations() { flags += ["-Xlinker", "-z", "-Xlinker", "pack-relative-relocs"] }
  return [.unsafeFlags(flags, .when(platforms: [.linux], configuration: .release))]
}()

/// From 2.36 on; an older one refuses such programs.
func glibcReadsPackedRelocations() -> Bool {
  var text = [UInt8](repeating: 0, count: 64)
  let count = text.withUnsafeMutableBytes {
    confstr(Int32(_CS_GNU_LIBC_VERSION), $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
  }
  let version = String(decoding: text.prefix(max(count, 1) - 1), as: UTF8.self)
  let numbers = version.split(separator: " ").last?.split(separator: ".").compactMap { Int($0) } ?? []
  return numbers.count >= 2 && (numbers[0], numbers[1]) >= (2, 36)
}

/// A module of the house. Its dependencies point down only; see docs/architecture.md.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of a module, which mirror its sources.
func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
    swiftSettings: strict)
}

let package = Package(
  name: "martlet",
  products: [
    .library(name: "WebSockets", targets: ["WebSockets"]),
    .library(name: "Realtime", targets: ["Realtime"]),
    .executable(name: "martlet", targets: ["martlet"]),
  ],
  targets: [
    // Shims over system libraries: macros as inline functions, no logic.
    .target(name: "CLinux"),
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),

    // Protocol cores: no socket, no clock, no randomness.
    room("Bytes"),
    room("JSON", ["Bytes"]),
    room("HTTPCore", ["Bytes"]),
    room("WebSocketCore", ["Bytes", "HTTPCore", "CZlib", "CISAL"]),

    // What touches the kernel.
    room("EventLoops", ["CLinux", "Bytes"]),
    room("Transport", ["COpenSSL", "CLinux", "EventLoops", "Bytes"]),

    // The library and the hub.
    room("WebSockets", ["Transport", "EventLoops", "WebSocketCore", "HTTPCore", "Bytes"]),
    room("Realtime", ["EventLoops", "Bytes"]),

    // Wire protocols over the hub.
    room(
      "Gateways",
      [
        "Realtime", "WebSockets", "WebSocketCore", "HTTPCore", "EventLoops", "JSON", "Bytes",
        "COpenSSL", "CZlib",
      ]),

    // The program.
    .executableTarget(
      name: "martlet",
      dependencies: [
        "Gateways", "Realtime", "WebSockets", "WebSocketCore", "HTTPCore", "Transport",
        "EventLoops", "JSON", "Bytes", "CLinux",
      ],
      swiftSettings: strict, linkerSettings: lean),

    // The library's client against other servers and under the Autobahn test suite: docs/conformance.md.
    .executableTarget(
      name: "echo-client", dependencies: ["WebSockets"], path: "Tests/Interop/echo-client",
      swiftSettings: strict),

    // What messages cost in allocations: scripts/allocations.
    .target(name: "CAllocationCounter", path: "Benchmarks/Allocations/Counter"),
    .executableTarget(
      name: "allocations",
      dependencies: ["CAllocationCounter", "WebSockets", "Realtime", "EventLoops", "Bytes"],
      path: "Benchmarks/Allocations/Program", swiftSettings: strict),

    // What many channels cost: Benchmarks/Channels.
    .executableTarget(
      name: "channels", dependencies: ["CAllocationCounter", "Realtime", "EventLoops", "Bytes"],
      path: "Benchmarks/Channels",
      swiftSettings: strict),

    // Random numbers that are the same for the same seed.
    .target(name: "TestRandomness", path: "Tests/TestRandomness", swiftSettings: strict),
    // Reads what the encoder of differences writes.
    .target(name: "TestDeltas", path: "Tests/TestDeltas", swiftSettings: strict),
    tests(of: "Bytes", ["TestDeltas", "TestRandomness"]),
    tests(of: "JSON", ["TestRandomness", "Bytes"]),
    tests(of: "HTTPCore", ["Bytes"]),
    tests(of: "WebSocketCore", ["TestRandomness", "HTTPCore", "Bytes"]),
    tests(of: "EventLoops", ["TestRandomness", "CLinux", "Bytes"]),
    // Certificates made at test time.
    .target(
      name: "TestCertificates", dependencies: ["COpenSSL"], path: "Tests/TestCertificates",
      swiftSettings: strict),
    tests(
      of: "Transport",
      ["TestCertificates", "TestRandomness", "COpenSSL", "CLinux", "EventLoops", "Bytes"]),
    tests(
      of: "WebSockets",
      [
        "TestCertificates", "TestRandomness", "COpenSSL", "Transport", "EventLoops", "WebSocketCore",
        "HTTPCore", "Bytes",
      ]),
    tests(of: "Realtime", ["TestRandomness", "EventLoops", "Bytes"]),
    tests(
      of: "Gateways",
      [
        "Realtime", "WebSockets", "WebSocketCore", "Transport", "HTTPCore", "EventLoops", "JSON",
        "Bytes", "CZlib",
      ]),
    tests(
      of: "martlet",
      ["Realtime", "WebSockets", "WebSocketCore", "HTTPCore", "Transport", "EventLoops", "JSON", "Bytes"]),

    // Random faults over the whole server, and a checker of what it promises: docs/channels.md.
    .testTarget(
      name: "FaultsTests",
      dependencies: [
        "Gateways", "Realtime", "WebSockets", "WebSocketCore", "Transport", "EventLoops", "JSON", "Bytes",
        "TestRandomness",
      ],
      path: "Tests/Faults", swiftSettings: strict),

    // What fuzzers run, and the tests that run it on the inputs under Fuzz/Seeds.
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "martlet", "Gateways", "Realtime", "WebSockets", "WebSocketCore", "HTTPCore", "Transport",
        "EventLoops", "JSON", "Bytes", "TestCertificates", "TestDeltas",
      ],
      path: "Fuzz/Targets", swiftSettings: strict),
  ]
)
