import Testing

/// What a machine can check of CONTRIBUTING.md's rules. Each failure names file, line and what to do.
@Suite struct TidyTests {
    /// Targets from the bottom to the top. A file may import only targets that stand before its own.
    private static let layers = [
        "CMillrace", "CZstd", "CLZ4", "CSnappy", "CZlib", "CPCRE2", "CSQLite", "Bytes", "Machine", "SimulatedMachine",
        "Instruments", "KafkaWire", "GenerateKafkaWire", "KafkaClient", "Storage", "Log", "Groups", "Columns",
        "Patterns", "Telemetry", "Decode", "View", "Series", "Search", "Query", "Ingest", "MillraceTesting",
        "Listening", "Receivers", "ServeKafka", "ServeHTTP",
        "millrace",
    ]

    private static let maximumFileLines = 500
    private static let maximumFunctionLines = 70

    @Test func everyTargetHasALayer() {
        let targets = Set(SourceTree.files.filter(\.isSource).map(\.target))
        #expect(targets.count > 5, "the source tree was not found at \(SourceTree.root)")
        for target in targets.sorted() where !Self.layers.contains(target) {
            Issue.record("Sources/\(target) has no layer: add it to TidyTests.layers and ARCHITECTURE.md")
        }
    }

    @Test func importsPointDownward() {
        for file in SourceTree.files where file.isSource {
            guard let own = Self.layers.firstIndex(of: file.target) else { continue }
            for (number, line) in file.code.enumerated() {
                guard let name = importedModule(line), let other = Self.layers.firstIndex(of: name) else { continue }
                if other >= own {
                    Issue.record(
                        "\(file.path):\(number + 1): \(file.target) must not import \(name), which is above it")
                }
            }
        }
    }

    @Test func everyImportIsDeclared() {
        let manifest = SourceTree.read("Package.swift") ?? ""
        let declared = DeclaredDependencies(manifest: manifest)
        #expect(declared.targets.count > 10, "Package.swift was not understood")
        for file in SourceTree.files {
            guard let allowed = declared.targets[file.target] else { continue }
            for (number, line) in file.code.enumerated() {
                guard let name = importedModule(line), Self.layers.contains(name) else { continue }
                if !allowed.contains(name) {
                    Issue.record("\(file.path):\(number + 1): \(name) is not among \(file.target)'s dependencies")
                }
            }
        }
    }

    @Test func filesStayShort() {
        for file in SourceTree.files where !file.isGenerated && file.lines.count > Self.maximumFileLines {
            Issue.record("\(file.path): \(file.lines.count) lines; split it, \(Self.maximumFileLines) is the limit")
        }
    }

    @Test func functionsStayShort() {
        for file in SourceTree.files where !file.isGenerated {
            for function in FunctionScanner.functions(in: file.code) where function.lines > Self.maximumFunctionLines {
                Issue.record(
                    "\(file.path):\(function.start): \(function.lines) lines; \(Self.maximumFunctionLines) is the limit"
                )
            }
        }
    }

    @Test func nothingIsLeftToDoWithoutAnIssue() {
        for file in SourceTree.files where file.target != "TidyTests" {
            for (number, line) in file.lines.enumerated() {
                for mark in ["TODO", "FIXME", "XXX", "HACK"]
                where line.contains(mark) && !line.contains(mark + "(#") {
                    Issue.record("\(file.path):\(number + 1): \(mark) without an issue: write \(mark)(#N) or do it")
                }
            }
        }
    }

    @Test func noFileIsDead() {
        let everything = SourceTree.files
        let mentioned = everything.map { Set(words(in: $0.code)) }
        for (index, file) in everything.enumerated() where file.isSource && !file.isGenerated {
            let declared = declaredNames(in: file.code)
            if declared.isEmpty || file.code.contains(where: { $0.contains("@main") }) { continue }
            let isUsed = mentioned.indices.contains { other in
                other != index && declared.contains { mentioned[other].contains($0) }
            }
            if !isUsed { Issue.record("\(file.path): nothing it declares is used in another file") }
        }
    }

    @Test func foldersOfPlaceholdersDoNotExist() {
        for file in SourceTree.files where file.isSource {
            let isEmpty = !file.code.contains { !$0.allSatisfy(\.isWhitespace) }
            if isEmpty { Issue.record("\(file.path) has no code: remove it") }
        }
    }
}
