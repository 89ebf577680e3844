import Bytes

/// The bytes of `SearchState` in a manifest: docs/formats/search-state.md.
enum SearchStateCodec {
    private static let version: UInt8 = 1

    static func encode(_ state: SearchState) -> [UInt8] {
        var writer = ByteWriter(capacity: 4096)
        writer.write(version)
        writer.write(state.nextCut)
        SearchCommandCodec.write(state.limits, to: &writer)
        SearchCommandCodec.write(state.retention.command, to: &writer)
        writer.writeUnsignedVarint(UInt32(state.deletions.count))
        for deletion in state.deletions {
            writer.write(deletion.offset)
            SearchCommandCodec.write(deletion.command, to: &writer)
        }
        writer.write(state.streams.window)
        write(state.streams.current, to: &writer)
        write(state.streams.previous, to: &writer)
        return writer.array()
    }

    static func decode(_ bytes: [UInt8]) throws(SearchError) -> SearchState {
        do throws(BytesError) {
            return try bytes.withUnsafeBufferPointer { bytes throws(BytesError) in
                var reader = ByteReader(UnsafeRawBufferPointer(bytes))
                return try state(&reader)
            }
        } catch {
            throw SearchError(
                bytes.first ?? 0 > version ? .formatTooNew : .damaged, "the state of a view of lines", cause: error)
        }
    }

    private static func state(_ reader: inout ByteReader) throws(BytesError) -> SearchState {
        let found = try reader.uint8()
        guard found == version else { throw BytesError(code: .malformed, message: "version \(found)") }
        var state = SearchState()
        state.nextCut = try reader.int64()
        state.limits = try SearchCommandCodec.limits(&reader)
        let retention = try SearchCommandCodec.retention(&reader)
        state.retention = try readable { () throws(SearchError) in try RetentionRules(retention) }
        for _ in 0..<(try SearchCommandCodec.count(&reader)) {
            let offset = try reader.int64()
            let command = try SearchCommandCodec.deletion(&reader)
            state.deletions.append(try readable { () throws(SearchError) in try Deletion(command, offset: offset) })
        }
        let window = try reader.int64()
        let current = try hashes(&reader)
        state.streams = ActiveStreams(window: window, current: current, previous: try hashes(&reader))
        guard reader.isAtEnd else {
            throw BytesError(code: .malformed, message: "\(reader.remaining) bytes behind the state")
        }
        return state
    }

    private static func readable<T>(_ body: () throws(SearchError) -> T) throws(BytesError) -> T {
        do throws(SearchError) {
            return try body()
        } catch {
            throw BytesError(code: .malformed, message: error.description)
        }
    }

    private static func write(_ hashes: Set<UInt64>, to writer: inout ByteWriter) {
        writer.writeUnsignedVarint(UInt32(hashes.count))
        for hash in hashes.sorted() { writer.write(hash) }
    }

    private static func hashes(_ reader: inout ByteReader) throws(BytesError) -> Set<UInt64> {
        var hashes: Set<UInt64> = []
        for _ in 0..<(try SearchCommandCodec.count(&reader)) { hashes.insert(try reader.uint64()) }
        return hashes
    }
}
