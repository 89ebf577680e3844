import Series
import Telemetry
import Testing

@Suite struct MeasurementSchemaTests {
    @Test func aTypeMakesADifference() {
        let float = MeasurementSchema(fields: [(name: [1], type: .float)], tagKeys: [])
        #expect(float == MeasurementSchema(fields: [(name: [1], type: .float)], tagKeys: []))
        #expect(float != MeasurementSchema(fields: [(name: [1], type: .integer)], tagKeys: []))
    }
}
