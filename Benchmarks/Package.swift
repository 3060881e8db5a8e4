// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "martlet", path: "..")],
  targets: [
    .executableTarget(
      name: "asyncecho",
      dependencies: [.product(name: "WebSockets", package: "martlet")],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "broadcast",
      dependencies: [.product(name: "WebSockets", package: "martlet")],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "pool",
      dependencies: [.product(name: "WebSockets", package: "martlet")],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "stream",
      dependencies: [.product(name: "WebSockets", package: "martlet")],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
    .executableTarget(
      name: "micro",
      dependencies: [
        .product(name: "WebSockets", package: "martlet"), .product(name: "Realtime", package: "martlet"),
      ],
      swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]),
  ]
)
