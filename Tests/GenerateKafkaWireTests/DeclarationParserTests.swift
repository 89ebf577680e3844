import Testing

@testable import GenerateKafkaWire

@Suite struct DeclarationParserTests {
    private static let good = """
        api 7 Sample, versions 2-5, flexible 4+, response header 0
        -- Only a comment.

        request
          name      string             -- The name.
          count     int32?3   ..4 = -1 -- How many - if known.
          items     [Item]             -- An item each.
            id      uuid               -- Its id.
            parts   [[int64]] 3..      -- Lists of numbers.
          extra     Item?     4.. tag 1 -- One more.

        response
          errorCode error              -- The outcome.
        """

    private func parse(_ text: String) throws -> API {
        try DeclarationParser.parse(text, file: "07_Sample.kafka")
    }

    /// What is said about a declaration, or "accepted".
    private func complaint(_ text: String) -> String {
        do {
            _ = try parse(text)
            return "accepted"
        } catch {
            return "\(error)"
        }
    }

    @Test func theHeadIsRead() throws {
        let api = try parse(Self.good)
        #expect((api.key, api.name, api.versions) == (7, "Sample", 2...5))
        #expect(!api.isFlexible(3) && api.isFlexible(4))
        #expect(api.hasPlainResponseHeader)
        #expect(api.fileName == "07_Sample")
        let plain = try parse("api 12 Old, versions 0-0, flexible none\nrequest\nresponse")
        #expect(plain.flexibleFrom == nil && !plain.hasPlainResponseHeader)
        #expect(plain.fileName == "12_Old" && plain.request.fields.isEmpty)
    }

    @Test func fieldsAreRead() throws {
        let request = try parse(Self.good).request
        #expect(request.name == "SampleRequest")
        #expect(request.fields.map(\.name) == ["name", "count", "items", "extra"])
        #expect(request.fields.map(\.type.swiftName) == ["String", "Int32", "[Item]", "Item"])
        #expect(request.fields.map(\.versions) == [2...5, 2...4, 2...5, 4...5])
        #expect(request.fields.map(\.nullableFrom) == [nil, 3, nil, 2])
        #expect(request.fields.map(\.tag) == [nil, nil, nil, 1])
        #expect(request.fields.map(\.defaultText) == [nil, "-1", nil, nil])
        #expect(request.fields[1].documentation == "How many - if known.")
    }

    @Test func aStructureIsDeclaredOnceAndNamedAgain() throws {
        let request = try parse(Self.good).request
        #expect(request.nested.map(\.name) == ["Item"])
        #expect(request.nested[0].fields.map(\.type.swiftName) == ["Uuid", "[[Int64]]"])
        #expect(request.nested[0].fields.map(\.versions) == [2...5, 3...5])
        guard case .structure(let again) = request.fields[3].type else { throw Unexpected() }
        #expect(again === request.nested[0])
    }

    @Test(arguments: [
        ("", 1, "the file is empty"),
        ("api x Sample, versions 0-1, flexible none", 1, "expected: api KEY NAME"),
        ("api 7 Sample, versions 3-1, flexible none", 1, "versions are A-B, with A ≤ B"),
        ("api 7 Sample, versions 0-1, flexible 1", 1, "flexible is C+ or none"),
        ("api 7 Sample, versions 0-1, flexible none, please", 1, "unknown words at the end"),
    ])
    func aBadHeadIsRefused(_ text: String, line: Int, message: String) {
        #expect(complaint(text).hasPrefix("07_Sample.kafka:\(line): \(message)"), "\(complaint(text))")
    }

    @Test(arguments: [
        ("  name string", 4, "a field has a description behind --"),
        ("  name -- The name.", 4, "a field has a name and a type"),
        ("  name text -- The name.", 4, "unknown type text"),
        ("  name string?x -- The name.", 4, "nullable is ? or ?VERSION"),
        ("  name string 6.. -- The name.", 4, "versions outside those of SampleRequest"),
        ("  name string tag x -- The name.", 4, "a tag is a number"),
        ("  name string = a b -- The name.", 4, "a default is one word"),
        ("  name string maybe -- The name.", 4, "unknown words: maybe"),
        ("  name [Item] -- The items.", 4, "Item has no fields"),
        ("   name string -- The name.", 4, "indent in steps of two spaces"),
        ("  name string -- The name.\n      more string -- Too far.", 5, "indented too far"),
        ("other", 4, "expected: response"),
    ])
    func aBadFieldIsRefusedWithItsLine(_ field: String, line: Int, message: String) {
        let text = "api 7 Sample, versions 0-5, flexible none\n\nrequest\n\(field)\n\nresponse\n"
        #expect(complaint(text) == "07_Sample.kafka:\(line): \(message)")
    }

    @Test func whatFollowsTheResponseIsRefused() {
        let text = "api 7 Sample, versions 0-5, flexible none\nrequest\nresponse\n\nrequest\n"
        #expect(complaint(text) == "07_Sample.kafka:5: expected the end of the file")
        #expect(complaint("api 7 Sample, versions 0-5, flexible none\n") == "07_Sample.kafka:1: expected: request")
    }

    private struct Unexpected: Error {}
}
