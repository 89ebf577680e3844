import Testing

/// The rules are only as good as what they see.
@Suite struct ScannerTests {
    @Test func importsAreFoundWhateverTheirModifiers() {
        #expect(importedModule("import Log") == "Log")
        #expect(importedModule("public import NIOCore") == "NIOCore")
        #expect(importedModule("@testable import Log") == "Log")
        #expect(importedModule("import struct Bytes.ByteReader") == "Bytes")
        #expect(importedModule("let important = import_") == nil)
    }

    @Test func commentsAndStringsAreNotCode() {
        let code = CodeOnly.blanking(["let a = \"try! // no\" // try!", "\"\"\"", "fatalError(", "\"\"\"", "b"])
        #expect(!code.joined().contains("try!"))
        #expect(!code.joined().contains("fatalError"))
        #expect(code.last == "b")
    }

    @Test func functionsAreMeasuredFromSignatureToClosingBrace() {
        let code = [
            "struct A {", "    public static func one(", "        a: Int", "    ) {", "        if a { b() }", "    }",
            "    init() {}", "}",
        ]
        #expect(FunctionScanner.functions(in: code).map(\.lines) == [5, 1])
        #expect(FunctionScanner.functions(in: code).map(\.start) == [2, 7])
    }

    @Test func protocolRequirementsHaveNoBody() {
        #expect(FunctionScanner.functions(in: ["protocol P {", "    func f()", "}"]).isEmpty)
    }

    @Test func manifestDependenciesAreRead() {
        let manifest = """
            .target(name: "A", dependencies: ["B", .product(name: "C", package: "c")]),
            .testTarget(name: "ATests", dependencies: ["A"]),
            """
        let declared = DeclaredDependencies(manifest: manifest)
        #expect(declared.targets["A"] == ["B", "C", "c"])
        #expect(declared.targets["ATests"] == ["A"])
    }
}
