// swift-tools-version: 6.0
import PackageDescription

// Imports run one way, in the order of this list: a module may skip over neighbours but never look forward.
// `Tests/run.sh` builds with --explicit-target-dependency-import-check error, which holds every file to it.
let package = Package(
    name: "Vesper",
    products: [.executable(name: "vesper", targets: ["vesper"])],
    targets: [
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["libz-dev"])]),
        .target(name: "Common", dependencies: ["CZlib"]),
        .target(name: "Ledger", dependencies: ["Common", "CSQLite"]),
        .target(name: "Lake", dependencies: ["Common", "Ledger"]),
        .target(name: "Ingest", dependencies: ["CZlib", "Common", "Ledger", "Lake"]),
        .target(name: "Economics", dependencies: ["Common", "Ledger", "Lake"]),
        .target(name: "Insights", dependencies: ["Common", "Ledger", "Lake", "Economics"]),
        .target(name: "Batches", dependencies: ["Common", "Ledger", "Insights"]),
        .target(name: "Reports", dependencies: ["Common", "Ledger", "Lake", "Ingest", "Economics", "Insights", "Batches"]),
        .target(
            name: "Pipeline",
            dependencies: [
                "Common", "Ledger", "Lake", "Ingest", "Economics", "Insights", "Batches", "Reports",
            ]),
        .target(name: "Samples", dependencies: ["Common"]),
        .executableTarget(
            name: "vesper",
            dependencies: [
                "Common", "Ledger", "Lake", "Ingest", "Economics", "Insights", "Batches", "Reports", "Pipeline", "Samples",
            ]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .testTarget(name: "CommonTests", dependencies: ["TestSupport", "Common"]),
        .testTarget(name: "LedgerTests", dependencies: ["TestSupport", "Common", "Ledger"]),
        .testTarget(name: "LakeTests", dependencies: ["TestSupport", "Common", "Ledger", "Lake"]),
        .testTarget(name: "IngestTests", dependencies: ["TestSupport", "Common", "Ledger", "Lake", "Ingest"]),
        .testTarget(name: "EconomicsTests", dependencies: ["TestSupport", "Common", "Ledger", "Lake", "Economics"]),
        .testTarget(name: "InsightsTests", dependencies: ["TestSupport", "Common", "Ledger", "Lake", "Economics", "Insights"]),
        .testTarget(name: "BatchesTests", dependencies: ["TestSupport", "Common", "Ledger", "Insights", "Batches"]),
        .testTarget(
            name: "ReportsTests", dependencies: ["Common", "Lake", "Economics", "Insights", "Reports"], exclude: ["Goldens"]),
        .testTarget(name: "SamplesTests", dependencies: ["Common", "Samples"]),
        .testTarget(name: "PipelineTests", dependencies: ["Common", "Ledger", "Lake", "Pipeline"]),
        .testTarget(name: "CommandTests", dependencies: ["Common", "vesper"]),
    ],
    swiftLanguageModes: [.v6]
)
