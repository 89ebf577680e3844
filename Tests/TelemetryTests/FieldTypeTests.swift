import Telemetry
import Testing

@Suite struct FieldTypeTests {
    @Test func codesOnTheDiskNeverChange() {
        let codes = FieldType.allCases.map { ($0.name, $0.rawValue) }
        let expected: [(String, UInt8)] = [
            ("float", 1), ("integer", 2), ("unsigned", 3), ("string", 4), ("boolean", 5),
        ]
        #expect(codes.elementsEqual(expected) { $0 == $1 })
    }
}
