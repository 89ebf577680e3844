import Bytes
import Columns
import Telemetry

/// The streams of a block by columns: for each label name the distinct values, and a code per stream.
struct StreamTable: Sendable {
    private struct Column: Sendable {
        var name: String
        /// "" stands for a missing label.
        var values: [String]
        var codes: [UInt32]
    }

    /// The most streams of a block that a reader takes: what 4 GiB of labels in memory would be.
    private static let maximumStreams = 4 << 20

    private var columns: [Column] = []
    let count: Int

    /// The labels of a stream.
    func labels(_ stream: Int) -> StreamLabels {
        var labels: [StreamLabels.Label] = []
        for column in columns {
            let value = column.values[Int(column.codes[stream])]
            if !value.isEmpty { labels.append(StreamLabels.Label(column.name, value)) }
        }
        return StreamLabels(labels)
    }

    /// The streams that satisfy all matchers; nil for all.
    func matching(_ matchers: [LabelMatcher]) -> RowBitmap {
        var result = RowBitmap(count: count, filled: true)
        for matcher in matchers {
            guard let column = columns.first(where: { $0.name == matcher.name }) else {
                if !matcher.holds(for: "") { return RowBitmap(count: count) }
                continue
            }
            let hits = column.values.map { matcher.holds(for: $0) }
            var rows = RowBitmap(count: count)
            for (stream, code) in column.codes.enumerated() where hits[Int(code)] { rows.insert(stream) }
            result.formIntersection(rows)
        }
        return result
    }

    static func encode(_ streams: [StreamLabels], into writer: inout ByteWriter) {
        let names = Set(streams.flatMap { $0.labels.map(\.name) }).sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        writer.writeUnsignedVarint(UInt32(streams.count))
        writer.writeUnsignedVarint(UInt32(names.count))
        for name in names {
            var (values, codes): (ByteStrings, [Int64]) = (ByteStrings(), [])
            var known: [String: Int64] = [:]
            for stream in streams {
                let value = stream[name]
                if let code = known[value] {
                    codes.append(code)
                } else {
                    codes.append(Int64(values.count))
                    known[value] = Int64(values.count)
                    Array(value.utf8).withUnsafeBytes { values.append($0) }
                }
            }
            writer.writeUnsignedVarint(UInt32(name.utf8.count))
            writer.write(contentsOf: Array(name.utf8))
            append(&writer) { StringPiece.encode(values, into: &$0) }
            append(&writer) { IntegerCodec.encode(codes, into: &$0) }
        }
    }

    private static func append(_ writer: inout ByteWriter, _ body: (inout ByteWriter) -> Void) {
        var part = ByteWriter()
        body(&part)
        writer.writeUnsignedVarint(UInt32(part.count))
        part.withUnsafeBytes { writer.write(contentsOf: $0) }
    }

    init(_ bytes: UnsafeRawBufferPointer) throws(BytesError) {
        var reader = ByteReader(bytes)
        count = Int(try reader.unsignedVarint())
        let names = Int(try reader.unsignedVarint())
        guard count <= Self.maximumStreams, names <= reader.remaining / 4 else {
            throw BytesError(code: .malformed, message: "\(count) streams, \(names) labels")
        }
        for _ in 0..<names {
            let name = String(decoding: try reader.slice(Int(try reader.unsignedVarint())), as: UTF8.self)
            let strings = try StringPiece.decode(try reader.slice(Int(try reader.unsignedVarint())), limit: count)
            let codes = try IntegerCodec.decodeAll(try reader.slice(Int(try reader.unsignedVarint())), count: count)
            guard codes.allSatisfy({ $0 >= 0 && $0 < Int64(strings.count) }) else {
                throw BytesError(code: .malformed, message: "a label without a value")
            }
            let values = (0..<strings.count).map { index in
                strings.withString(index) { String(decoding: $0, as: UTF8.self) }
            }
            columns.append(Column(name: name, values: values, codes: codes.map { UInt32($0) }))
        }
        guard reader.isAtEnd else { throw BytesError(code: .malformed, message: "bytes behind the streams") }
    }
}
