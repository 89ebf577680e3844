import Bytes
import Telemetry

/// The bytes of `SeriesState` in a manifest: docs/formats/series-state.md.
enum SeriesStateCodec {
    /// Version 2 names the default policy that was dropped; without one version 1 is written.
    private static let version: UInt8 = 2

    static func encode(_ state: SeriesState) -> [UInt8] {
        var writer = ByteWriter(capacity: 4096)
        writer.write(state.droppedDefault == nil ? 1 : version)
        writer.write(state.nextCut)
        CommandCodec.write(state.limits, to: &writer)
        writer.writeUnsignedVarint(UInt32(state.retentionPolicies.count))
        for policy in state.retentionPolicies { CommandCodec.write(policy, to: &writer) }
        if let name = state.droppedDefault { CommandCodec.write(name, to: &writer) }
        writer.writeUnsignedVarint(UInt32(state.tombstones.count))
        for tombstone in state.tombstones { write(tombstone, to: &writer) }
        let keys = Set(state.fields.keys).union(state.cardinality.tables.keys).sorted(by: precedes)
        writer.writeUnsignedVarint(UInt32(keys.count))
        for key in keys {
            CommandCodec.write(key.retentionPolicy, to: &writer)
            CommandCodec.write(key.measurement, to: &writer)
            write(state.fields[key], to: &writer)
            write(state.cardinality.tables[key] ?? Cardinality.Table(), to: &writer)
        }
        return writer.array()
    }

    static func decode(_ bytes: [UInt8]) throws(SeriesError) -> SeriesState {
        let result = bytes.withUnsafeBytes { bytes -> Result<SeriesState, BytesError> in
            var reader = ByteReader(bytes)
            do throws(BytesError) { return .success(try state(&reader)) } catch { return .failure(error) }
        }
        switch result {
        case .success(let state): return state
        case .failure(let error):
            throw SeriesError(
                bytes.first ?? 0 > version ? .formatTooNew : .damaged, "the state of a series view", cause: error)
        }
    }

    private static func state(_ reader: inout ByteReader) throws(BytesError) -> SeriesState {
        let found = try reader.uint8()
        guard (1...version).contains(found) else { throw BytesError(code: .malformed, message: "version \(found)") }
        var state = SeriesState()
        state.nextCut = try reader.int64()
        state.limits = try CommandCodec.limits(&reader)
        state.retentionPolicies = []
        for _ in 0..<(try CommandCodec.count(&reader)) {
            state.retentionPolicies.append(try CommandCodec.policy(&reader))
        }
        if found > 1 { state.droppedDefault = try CommandCodec.string(&reader) }
        for _ in 0..<(try CommandCodec.count(&reader)) { state.tombstones.append(try tombstone(&reader)) }
        var tables: [TableKey: Cardinality.Table] = [:]
        for _ in 0..<(try CommandCodec.count(&reader)) {
            let key = TableKey(
                retentionPolicy: try CommandCodec.string(&reader), measurement: try CommandCodec.string(&reader))
            if let fields = try fields(&reader) { state.fields[key] = fields }
            let counts = try table(&reader)
            if counts != Cardinality.Table() { tables[key] = counts }
        }
        state.cardinality = Cardinality(tables: tables)
        guard reader.isAtEnd else {
            throw BytesError(code: .malformed, message: "\(reader.remaining) bytes behind the state")
        }
        return state
    }

    private static func precedes(_ left: TableKey, _ right: TableKey) -> Bool {
        let order = SeriesKey.compare(left.retentionPolicy, right.retentionPolicy)
        return order < 0 || order == 0 && SeriesKey.compare(left.measurement, right.measurement) < 0
    }
}

/// Schema and tombstones.
extension SeriesStateCodec {
    /// The number of fields + 1, and each by name; 0 for a table without a schema.
    private static func write(_ fields: [[UInt8]: FieldType]?, to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(fields.map { $0.count + 1 } ?? 0))
        for field in (fields ?? [:]).sorted(by: { SeriesKey.compare($0.key, $1.key) < 0 }) {
            CommandCodec.write(field.key, to: &writer)
            writer.write(field.value.rawValue)
        }
    }

    private static func fields(_ reader: inout ByteReader) throws(BytesError) -> [[UInt8]: FieldType]? {
        let count = try CommandCodec.count(&reader)
        guard count > 0 else { return nil }
        var fields: [[UInt8]: FieldType] = [:]
        for _ in 1..<count {
            let name = try CommandCodec.string(&reader)
            guard let type = FieldType(rawValue: try reader.uint8()) else {
                throw BytesError(code: .malformed, message: "an unknown type of a field")
            }
            fields[name] = type
        }
        return fields
    }

    private static func write(_ tombstone: Tombstone, to writer: inout ByteWriter) {
        writer.write(tombstone.offset)
        switch tombstone.target {
        case .points(let predicate):
            writer.write(1 as UInt8)
            CommandCodec.write(predicate, to: &writer)
        case .measurement(let name):
            writer.write(2 as UInt8)
            CommandCodec.write(name, to: &writer)
        case .retentionPolicy(let name):
            writer.write(3 as UInt8)
            CommandCodec.write(name, to: &writer)
        }
    }

    private static func tombstone(_ reader: inout ByteReader) throws(BytesError) -> Tombstone {
        let offset = try reader.int64()
        switch try reader.uint8() {
        case 1: return Tombstone(offset: offset, target: .points(try CommandCodec.predicate(&reader)))
        case 2: return Tombstone(offset: offset, target: .measurement(try CommandCodec.string(&reader)))
        case 3: return Tombstone(offset: offset, target: .retentionPolicy(try CommandCodec.string(&reader)))
        case let kind: throw BytesError(code: .malformed, message: "a tombstone of kind \(kind)")
        }
    }
}

/// Sketches.
extension SeriesStateCodec {
    private static func write(_ table: Cardinality.Table, to writer: inout ByteWriter) {
        write(table.series, to: &writer)
        writer.writeUnsignedVarint(UInt32(table.tags.count))
        for tag in table.tags.sorted(by: { SeriesKey.compare($0.key, $1.key) < 0 }) {
            CommandCodec.write(tag.key, to: &writer)
            write(tag.value, to: &writer)
        }
    }

    private static func table(_ reader: inout ByteReader) throws(BytesError) -> Cardinality.Table {
        var table = Cardinality.Table()
        table.series = try windowed(&reader)
        for _ in 0..<(try CommandCodec.count(&reader)) {
            let key = try CommandCodec.string(&reader)
            table.tags[key] = try windowed(&reader)
        }
        return table
    }

    private static func write(_ sketch: WindowedSketch, to writer: inout ByteWriter) {
        write(sketch.total, to: &writer)
        writer.writeUnsignedVarint(UInt32(sketch.windows.count))
        for window in sketch.windows.sorted(by: { $0.key < $1.key }) {
            writer.write(window.key)
            write(window.value, to: &writer)
        }
    }

    private static func windowed(_ reader: inout ByteReader) throws(BytesError) -> WindowedSketch {
        let total = try sketch(&reader)
        var windows: [Int64: CardinalitySketch] = [:]
        for _ in 0..<(try CommandCodec.count(&reader)) {
            let start = try reader.int64()
            windows[start] = try sketch(&reader)
        }
        return WindowedSketch(total: total, windows: windows)
    }

    /// The number of hashes, and each; or 0xFFFF and the registers.
    private static func write(_ sketch: CardinalitySketch, to writer: inout ByteWriter) {
        guard sketch.isExact else {
            writer.write(UInt16.max)
            writer.write(contentsOf: sketch.registers)
            return
        }
        writer.write(UInt16(sketch.exact.count))
        for hash in sketch.exact.sorted() { writer.write(hash) }
    }

    private static func sketch(_ reader: inout ByteReader) throws(BytesError) -> CardinalitySketch {
        let count = Int(try reader.uint16())
        if count == Int(UInt16.max) {
            let bytes = [UInt8](try reader.slice(CardinalitySketch.registerCount))
            guard let sketch = CardinalitySketch(registers: bytes) else {
                throw BytesError(code: .malformed, message: "a register of a sketch out of range")
            }
            return sketch
        }
        guard count <= CardinalitySketch.exactLimit else {
            throw BytesError(code: .malformed, message: "\(count) hashes in a sketch")
        }
        var hashes: Set<UInt64> = []
        for _ in 0..<count { hashes.insert(try reader.uint64()) }
        return CardinalitySketch(exact: hashes)
    }
}
