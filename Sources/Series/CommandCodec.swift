import Bytes

/// The bytes of a `SeriesCommand` in a control record (`ControlRecord.key`): docs/formats/series-commands.md.
public enum CommandCodec {
    /// The most bytes of a command; a longer one is refused before it is written.
    public static let maximumBytes = 1 << 20

    private static let version: UInt8 = 1

    /// The bytes of a command.
    public static func encode(_ command: SeriesCommand) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.write(version)
        switch command {
        case .setRetentionPolicy(let policy):
            writer.write(1 as UInt8)
            write(policy, to: &writer)
        case .dropRetentionPolicy(let name):
            writer.write(2 as UInt8)
            write(name, to: &writer)
        case .delete(let predicate):
            writer.write(3 as UInt8)
            write(predicate, to: &writer)
        case .dropMeasurement(let name):
            writer.write(4 as UInt8)
            write(name, to: &writer)
        case .setLimits(let limits):
            writer.write(5 as UInt8)
            write(limits, to: &writer)
        }
        return writer.array()
    }

    /// Reads a command.
    ///
    /// - Throws: `SeriesError` `.damaged`, or `.formatTooNew`.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(SeriesError) -> SeriesCommand {
        var reader = ByteReader(bytes)
        do throws(BytesError) {
            let found = try reader.uint8()
            guard found == version else { throw BytesError(code: .malformed, message: "version \(found)") }
            let command = try command(&reader)
            guard reader.isAtEnd else {
                throw BytesError(code: .malformed, message: "\(reader.remaining) bytes behind")
            }
            return command
        } catch {
            let isNewer = bytes.first.map { $0 > version } ?? false
            throw SeriesError(isNewer ? .formatTooNew : .damaged, "a command of a series view", cause: error)
        }
    }

    private static func command(_ reader: inout ByteReader) throws(BytesError) -> SeriesCommand {
        let kind = try reader.uint8()
        switch kind {
        case 1: return .setRetentionPolicy(try policy(&reader))
        case 2: return .dropRetentionPolicy(name: try string(&reader))
        case 3: return .delete(try predicate(&reader))
        case 4: return .dropMeasurement(name: try string(&reader))
        case 5: return .setLimits(try limits(&reader))
        default: throw BytesError(code: .malformed, message: "a command of kind \(kind)")
        }
    }
}

/// The parts, which the state of a view has as well.
extension CommandCodec {
    static func write(_ string: [UInt8], to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(string.count))
        writer.write(contentsOf: string)
    }

    static func string(_ reader: inout ByteReader) throws(BytesError) -> [UInt8] {
        [UInt8](try reader.slice(Int(try reader.unsignedVarint())))
    }

    /// A number of elements of at least one byte each.
    static func count(_ reader: inout ByteReader) throws(BytesError) -> Int {
        let count = Int(try reader.unsignedVarint())
        guard count <= reader.remaining else {
            throw BytesError(code: .malformed, message: "\(count) elements in \(reader.remaining) bytes")
        }
        return count
    }

    static func write(_ policy: RetentionPolicy, to writer: inout ByteWriter) {
        write(policy.name, to: &writer)
        writer.write(policy.durationNanoseconds)
        writer.write(policy.shardNanoseconds)
        writer.write(policy.isDefault ? 1 as UInt8 : 0)
    }

    static func policy(_ reader: inout ByteReader) throws(BytesError) -> RetentionPolicy {
        let policy = RetentionPolicy(
            name: try string(&reader), durationNanoseconds: try reader.int64(), shardNanoseconds: try reader.int64(),
            isDefault: try reader.bool())
        guard policy.durationNanoseconds >= 0, policy.shardNanoseconds > 0 else {
            throw BytesError(code: .malformed, message: "a retention policy without sense")
        }
        return policy
    }

    static func write(_ predicate: DeletePredicate, to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(predicate.measurements.count))
        for name in predicate.measurements { write(name, to: &writer) }
        writer.writeUnsignedVarint(UInt32(predicate.tags.count))
        for condition in predicate.tags {
            write(condition.key, to: &writer)
            writer.writeUnsignedVarint(UInt32(condition.values.count))
            for value in condition.values { write(value, to: &writer) }
        }
        writer.write(predicate.range.lowerBound)
        writer.write(predicate.range.upperBound)
        writer.write(predicate.dropsSeries ? 1 as UInt8 : 0)
    }

    static func predicate(_ reader: inout ByteReader) throws(BytesError) -> DeletePredicate {
        var measurements: [[UInt8]] = []
        for _ in 0..<(try count(&reader)) { measurements.append(try string(&reader)) }
        var tags: [DeletePredicate.Condition] = []
        for _ in 0..<(try count(&reader)) {
            let key = try string(&reader)
            var values: [[UInt8]] = []
            for _ in 0..<(try count(&reader)) { values.append(try string(&reader)) }
            tags.append(DeletePredicate.Condition(key: key, values: values))
        }
        let (first, last) = (try reader.int64(), try reader.int64())
        guard first <= last else { throw BytesError(code: .malformed, message: "times that run backwards") }
        return DeletePredicate(
            measurements: measurements, tags: tags, range: first...last, dropsSeries: try reader.bool())
    }

    static func write(_ limits: SeriesLimits, to writer: inout ByteWriter) {
        for value in [
            limits.maximumSeries, limits.maximumTagValues, limits.maximumMeasurements, limits.maximumFields,
        ] {
            writer.write(Int64(value))
        }
    }

    static func limits(_ reader: inout ByteReader) throws(BytesError) -> SeriesLimits {
        var limits = SeriesLimits()
        limits.maximumSeries = Int(try reader.int64())
        limits.maximumTagValues = Int(try reader.int64())
        limits.maximumMeasurements = Int(try reader.int64())
        limits.maximumFields = Int(try reader.int64())
        guard limits.maximumSeries >= 0, limits.maximumTagValues >= 0, limits.maximumMeasurements >= 0,
            limits.maximumFields >= 0
        else { throw BytesError(code: .malformed, message: "a bound below zero") }
        return limits
    }
}
