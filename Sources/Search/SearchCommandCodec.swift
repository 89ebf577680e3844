import Bytes

/// The bytes of a `SearchCommand` in a control record (`ControlRecord.key`): docs/formats/search-commands.md.
public enum SearchCommandCodec {
    /// The most bytes of a command; a longer one is refused before it is written.
    public static let maximumBytes = 1 << 20

    private static let version: UInt8 = 1

    /// The bytes of a command.
    public static func encode(_ command: SearchCommand) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.write(version)
        switch command {
        case .delete(let deletion):
            writer.write(1 as UInt8)
            write(deletion, to: &writer)
        case .setRetention(let retention):
            writer.write(2 as UInt8)
            write(retention, to: &writer)
        case .setLimits(let limits):
            writer.write(3 as UInt8)
            write(limits, to: &writer)
        }
        return writer.array()
    }

    /// Reads a command.
    ///
    /// - Throws: `SearchError` `.damaged`, or `.formatTooNew`.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(SearchError) -> SearchCommand {
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
            throw SearchError(isNewer ? .formatTooNew : .damaged, "a command of a view of lines", cause: error)
        }
    }

    private static func command(_ reader: inout ByteReader) throws(BytesError) -> SearchCommand {
        let kind = try reader.uint8()
        switch kind {
        case 1: return .delete(try deletion(&reader))
        case 2: return .setRetention(try retention(&reader))
        case 3: return .setLimits(try limits(&reader))
        default: throw BytesError(code: .malformed, message: "a command of kind \(kind)")
        }
    }
}

/// The parts, which the state of a view has as well.
extension SearchCommandCodec {
    private static func write(_ string: [UInt8], to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(string.count))
        writer.write(contentsOf: string)
    }

    private static func string(_ reader: inout ByteReader) throws(BytesError) -> [UInt8] {
        [UInt8](try reader.slice(Int(try reader.unsignedVarint())))
    }

    private static func text(_ reader: inout ByteReader) throws(BytesError) -> String {
        String(decoding: try string(&reader), as: UTF8.self)
    }

    /// A number of elements of at least one byte each.
    static func count(_ reader: inout ByteReader) throws(BytesError) -> Int {
        let count = Int(try reader.unsignedVarint())
        guard count <= reader.remaining else {
            throw BytesError(code: .malformed, message: "\(count) elements in \(reader.remaining) bytes")
        }
        return count
    }

    static func write(_ deletion: SearchDeletion, to writer: inout ByteWriter) {
        write(Array(deletion.selector.utf8), to: &writer)
        writer.write(deletion.first)
        writer.write(deletion.last)
        write(deletion.containing, to: &writer)
    }

    static func deletion(_ reader: inout ByteReader) throws(BytesError) -> SearchDeletion {
        let deletion = SearchDeletion(
            selector: try text(&reader), first: try reader.int64(), last: try reader.int64(),
            containing: try string(&reader))
        guard deletion.first <= deletion.last else {
            throw BytesError(code: .malformed, message: "times that run backwards")
        }
        return deletion
    }

    static func write(_ retention: SearchRetention, to writer: inout ByteWriter) {
        writer.write(retention.nanoseconds)
        writer.writeUnsignedVarint(UInt32(retention.rules.count))
        for rule in retention.rules {
            write(Array(rule.selector.utf8), to: &writer)
            writer.write(rule.nanoseconds)
        }
    }

    static func retention(_ reader: inout ByteReader) throws(BytesError) -> SearchRetention {
        var retention = SearchRetention(nanoseconds: try reader.int64())
        for _ in 0..<(try count(&reader)) {
            retention.rules.append(
                SearchRetention.Rule(selector: try text(&reader), nanoseconds: try reader.int64()))
        }
        guard retention.nanoseconds >= 0, retention.rules.allSatisfy({ $0.nanoseconds >= 0 }) else {
            throw BytesError(code: .malformed, message: "a time below zero")
        }
        return retention
    }

    static func write(_ limits: SearchLimits, to writer: inout ByteWriter) {
        for value in [
            limits.streams, limits.labels, limits.labelNameBytes, limits.labelValueBytes, limits.lineBytes,
            limits.metadataEntries, limits.metadataBytes,
        ] {
            writer.write(value)
        }
    }

    static func limits(_ reader: inout ByteReader) throws(BytesError) -> SearchLimits {
        var limits = SearchLimits()
        limits.streams = try bound(&reader)
        limits.labels = try bound(&reader)
        limits.labelNameBytes = try bound(&reader)
        limits.labelValueBytes = try bound(&reader)
        limits.lineBytes = try bound(&reader)
        limits.metadataEntries = try bound(&reader)
        limits.metadataBytes = try bound(&reader)
        return limits
    }

    private static func bound(_ reader: inout ByteReader) throws(BytesError) -> Int64 {
        let bound = try reader.int64()
        guard bound >= 0 else { throw BytesError(code: .malformed, message: "a bound below zero") }
        return bound
    }
}
