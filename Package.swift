// swift-tools-version: 6.2
import PackageDescription

/// `MILLRACE_ENGINES=1` leaves out everything that needs SwiftNIO or Hummingbird, so that the engines
/// (everything below the listeners) build and test alone, without fetching or compiling a package.
let enginesOnly = Context.environment["MILLRACE_ENGINES"] != nil

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Arrows point only downward: a target may name only targets that stand above it in this list.
let engines: [Target] = [
    .target(name: "CMillrace"),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(
        name: "Bytes", dependencies: ["CMillrace", "CZstd", "CLZ4", "CSnappy", "CZlib"], swiftSettings: strict),
    .target(name: "Machine", dependencies: ["CMillrace"], swiftSettings: strict),
    .target(name: "SimulatedMachine", dependencies: ["Machine"], swiftSettings: strict),
    .target(name: "Instruments", swiftSettings: strict),
    .target(name: "KafkaWire", dependencies: ["Bytes"], exclude: ["Declarations", "README.md"], swiftSettings: strict),
    .executableTarget(name: "GenerateKafkaWire", swiftSettings: strict),
    .target(name: "Storage", dependencies: ["Machine", "Bytes", "CSQLite"], swiftSettings: strict),
    .target(
        name: "Log", dependencies: ["Machine", "Bytes", "KafkaWire", "Storage", "Instruments"],
        swiftSettings: strict),
    .target(
        name: "Groups", dependencies: ["Machine", "Bytes", "KafkaWire", "Storage", "Instruments", "Log"],
        swiftSettings: strict),
    .target(name: "Columns", dependencies: ["Bytes"], swiftSettings: strict),
    .target(name: "Patterns", dependencies: ["CPCRE2"], swiftSettings: strict),
    .target(name: "Telemetry", dependencies: ["Bytes", "CMillrace"], swiftSettings: strict),
    .target(name: "Decode", dependencies: ["Bytes", "Telemetry"], swiftSettings: strict),
    .target(
        name: "View", dependencies: ["Machine", "Bytes", "KafkaWire", "Storage", "Instruments", "Log"],
        swiftSettings: strict),
    .target(
        name: "Series", dependencies: ["Machine", "Bytes", "Columns", "KafkaWire", "Storage", "View", "Telemetry"],
        swiftSettings: strict),
    .target(
        name: "Search", dependencies: ["Machine", "Bytes", "Columns", "Patterns", "KafkaWire", "View", "Telemetry"],
        swiftSettings: strict),
    .target(
        name: "Query",
        dependencies: [
            "CMillrace", "Machine", "Bytes", "Columns", "Patterns", "Telemetry", "Series", "Search", "Instruments",
        ],
        swiftSettings: strict),
    .target(
        name: "Ingest",
        dependencies: [
            "Machine", "Bytes", "KafkaWire", "Log", "View", "Telemetry", "Decode", "Series", "Search", "Query",
            "Instruments",
        ],
        swiftSettings: strict),
    .target(
        name: "MillraceTesting",
        dependencies: ["Machine", "SimulatedMachine", "Bytes", "KafkaWire", "Storage", "Log", "Telemetry", "View"],
        swiftSettings: strict),
    .testTarget(name: "BytesTests", dependencies: ["Bytes", "MillraceTesting"], swiftSettings: strict),
    .testTarget(
        name: "MachineTests", dependencies: ["Machine", "SimulatedMachine", "MillraceTesting"],
        swiftSettings: strict),
    .testTarget(name: "InstrumentsTests", dependencies: ["Instruments"], swiftSettings: strict),
    .testTarget(
        name: "KafkaWireTests", dependencies: ["KafkaWire", "Bytes", "MillraceTesting"], exclude: ["Golden"],
        swiftSettings: strict),
    .testTarget(
        name: "StorageTests", dependencies: ["CSQLite", "Storage", "Machine", "SimulatedMachine", "MillraceTesting"],
        swiftSettings: strict),
    .testTarget(
        name: "LogTests",
        dependencies: [
            "Log", "Storage", "Machine", "SimulatedMachine", "KafkaWire", "Bytes", "Instruments", "MillraceTesting",
        ],
        resources: [.copy("Golden")],
        swiftSettings: strict),
    .testTarget(
        name: "GroupsTests",
        dependencies: [
            "Groups", "Log", "Storage", "Machine", "SimulatedMachine", "KafkaWire", "Bytes", "Instruments",
            "MillraceTesting",
        ],
        exclude: ["Scripts"],
        swiftSettings: strict),
    .testTarget(
        name: "ColumnsTests", dependencies: ["Columns", "Bytes", "SimulatedMachine", "MillraceTesting"],
        swiftSettings: strict),
    .testTarget(name: "PatternsTests", dependencies: ["Patterns"], swiftSettings: strict),
    .testTarget(
        name: "DecodeTests", dependencies: ["Decode", "Telemetry", "Bytes", "MillraceTesting"], swiftSettings: strict),
    .testTarget(
        name: "SearchTests",
        dependencies: [
            "Search", "View", "Telemetry", "Columns", "Patterns", "Storage", "Machine", "SimulatedMachine",
            "KafkaWire", "Bytes", "MillraceTesting",
        ],
        exclude: ["Golden"],
        swiftSettings: strict),
    .testTarget(
        name: "TelemetryTests", dependencies: ["Telemetry", "Bytes", "MillraceTesting"], exclude: ["Verdicts"],
        swiftSettings: strict),
    .testTarget(
        name: "ViewTests",
        dependencies: [
            "View", "Log", "Storage", "Machine", "SimulatedMachine", "KafkaWire", "Bytes", "Instruments",
            "MillraceTesting",
        ],
        exclude: ["Golden"],
        swiftSettings: strict),
    .testTarget(
        name: "SeriesTests",
        dependencies: [
            "Series", "View", "Telemetry", "Columns", "Storage", "Machine", "SimulatedMachine", "KafkaWire", "Bytes",
            "MillraceTesting",
        ],
        exclude: ["Golden"],
        swiftSettings: strict),
    .testTarget(
        name: "QueryTests",
        dependencies: [
            "Query", "Series", "Search", "Telemetry", "Columns", "Patterns", "Machine", "SimulatedMachine", "Bytes",
            "Instruments", "MillraceTesting",
        ],
        exclude: ["Scripts"],
        swiftSettings: strict),
    .testTarget(
        name: "IngestTests",
        dependencies: [
            "Ingest", "View", "Series", "Search", "Telemetry", "Decode", "Log", "Storage", "Machine",
            "SimulatedMachine", "KafkaWire",
            "Instruments",
            "Bytes",
            "MillraceTesting",
        ],
        swiftSettings: strict),
    .testTarget(name: "GenerateKafkaWireTests", dependencies: ["GenerateKafkaWire"], swiftSettings: strict),
    .testTarget(name: "TidyTests", swiftSettings: strict),
]

/// `MILLRACE_TESTS=Series,Query` leaves out all other test targets: a short way while working on one engine.
let wantedTests = Context.environment["MILLRACE_TESTS"]?.split(separator: ",").map { "\($0)Tests" }

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]

let services: [Target] = [
    .target(
        name: "KafkaClient",
        dependencies: nio + [
            "KafkaWire", "Bytes", "Machine", .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .target(
        name: "Listening",
        dependencies: [
            "Machine", "Instruments", .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .target(
        name: "ServeKafka",
        dependencies: nio + [
            "Groups", "Log", "KafkaWire", "Bytes", "Machine", "Instruments", "Listening",
            .product(name: "Logging", package: "swift-log"),
        ],
        exclude: ["README.md"],
        swiftSettings: strict),
    .target(
        name: "ServeHTTP",
        dependencies: [
            "Instruments", "Listening", "Bytes", "Telemetry", "Decode", "View", "Ingest", "Series", "Query",
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        ] + nio,
        swiftSettings: strict),
    .target(name: "Receivers", dependencies: nio + ["Instruments"], swiftSettings: strict),
    .executableTarget(
        name: "millrace",
        dependencies: nio + [
            "Receivers", "ServeKafka", "ServeHTTP", "Ingest", "Query", "Series", "Search", "Telemetry", "View",
            "KafkaClient",
            "Groups", "Log",
            "Storage",
            "Machine", "KafkaWire", "Bytes", "Instruments",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            .product(name: "Yams", package: "Yams"),
        ],
        swiftSettings: strict),
    .testTarget(
        name: "KafkaClientTests",
        dependencies: nio + [
            "KafkaClient", "KafkaWire", "Bytes", "Machine", "SimulatedMachine", "Groups", "Log", "Storage",
            "Instruments", "ServeKafka", "MillraceTesting",
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .testTarget(
        name: "ListeningTests",
        dependencies: nio + [
            "Listening", "Instruments", .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .testTarget(
        name: "ServeKafkaTests",
        dependencies: nio + [
            "ServeKafka", "Groups", "Log", "Storage", "Machine", "SimulatedMachine", "KafkaWire", "KafkaClient",
            "Bytes",
            "Instruments", "MillraceTesting", .product(name: "NIOEmbedded", package: "swift-nio"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
    .testTarget(name: "ReceiversTests", dependencies: nio + ["Receivers", "Instruments"], swiftSettings: strict),
    .testTarget(
        name: "ServeHTTPTests",
        dependencies: [
            "ServeHTTP", "Instruments", "Bytes", "Ingest", "View", "Series", "Query", "Log", "Storage", "Machine",
            "MillraceTesting",
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "Logging", package: "swift-log"),
        ] + nio,
        swiftSettings: strict),
    .testTarget(
        name: "millraceTests",
        dependencies: [
            "millrace", "ServeKafka", "ServeHTTP", "KafkaClient", "MillraceTesting", "Groups", "Log", "Machine",
            "SimulatedMachine", "Storage", "Series", "View", "KafkaWire", "Bytes",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: strict),
]

let package = Package(
    name: "millrace",
    // The engines are products only for the package in Fuzz/.
    products: enginesOnly
        ? [
            .library(name: "Bytes", targets: ["Bytes"]), .library(name: "KafkaWire", targets: ["KafkaWire"]),
            .library(name: "Log", targets: ["Log"]), .library(name: "Groups", targets: ["Groups"]),
            .library(name: "Telemetry", targets: ["Telemetry"]), .library(name: "Decode", targets: ["Decode"]),
            .library(name: "Series", targets: ["Series"]), .library(name: "Search", targets: ["Search"]),
            .library(name: "View", targets: ["View"]),
            .library(name: "Query", targets: ["Query"]), .library(name: "Columns", targets: ["Columns"]),
            .library(name: "Patterns", targets: ["Patterns"]),
        ]
        : [
            .executable(name: "millrace", targets: ["millrace"]),
            .library(name: "KafkaClient", targets: ["KafkaClient"]),
        ],
    dependencies: enginesOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
            .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.34.1"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
            .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        ],
    targets: (engines + (enginesOnly ? [] : services)).filter { target in
        guard let wantedTests, target.type == .test else { return true }
        return wantedTests.contains(target.name)
    }
)
