// swift-tools-version: 6.2
import PackageDescription

/// Fuzzers of everything that decodes bytes from outside, on libFuzzer. A package of its own, because a fuzzer's
/// sanitizer flags must reach every module and its `main` is libFuzzer's.
///
/// `MILLRACE_ENGINES=1` keeps SwiftNIO and what stands on it out of the build.
let fuzzer: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"]),
]

let linker: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]

let wire: [Target.Dependency] = [
    .product(name: "KafkaWire", package: "millrace"), .product(name: "Bytes", package: "millrace"),
]

let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "millrace", path: "..")],
    targets: [
        .target(name: "FuzzDriver"),
        .executableTarget(
            name: "FuzzRequests", dependencies: wire + ["FuzzDriver"], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzBatches", dependencies: wire + ["FuzzDriver"], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzCodecs", dependencies: wire + ["FuzzDriver"], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzStored",
            dependencies: wire + [
                "FuzzDriver", .product(name: "Log", package: "millrace"), .product(name: "Groups", package: "millrace"),
            ], swiftSettings: fuzzer,
            linkerSettings: linker),
        .executableTarget(
            name: "FuzzSeries",
            dependencies: [
                "FuzzDriver", .product(name: "Bytes", package: "millrace"),
                .product(name: "Columns", package: "millrace"), .product(name: "Series", package: "millrace"),
            ], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzManifests",
            dependencies: [
                "FuzzDriver", .product(name: "Bytes", package: "millrace"),
                .product(name: "Series", package: "millrace"), .product(name: "View", package: "millrace"),
            ], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzQuery",
            dependencies: [
                "FuzzDriver", .product(name: "Patterns", package: "millrace"),
                .product(name: "Query", package: "millrace"),
            ], swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzLines", dependencies: ["FuzzDriver", .product(name: "Telemetry", package: "millrace")],
            swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "FuzzPushes", dependencies: ["FuzzDriver", .product(name: "Decode", package: "millrace")],
            swiftSettings: fuzzer, linkerSettings: linker),
        .executableTarget(
            name: "MakeCorpus", dependencies: wire + [.product(name: "Series", package: "millrace")]),
    ]
)
