import KafkaWire
public import Log
public import Synchronization
import Telemetry
public import View

/// A view that keeps the lines it is fed, with the headers of their records, and refuses those of the measurement `no`.
public final class LineEngine: ViewEngine, ViewKind {
    /// A record as it was fed.
    public struct Fed: Sendable, Equatable {
        /// Its value.
        public let value: String
        /// Its headers.
        public let headers: [String: String]

        /// Assembles it.
        public init(value: String, headers: [String: String]) {
            self.value = value
            self.headers = headers
        }
    }

    /// What was fed, in order.
    public let fed = Mutex<[Fed]>([])

    /// An engine that was fed nothing.
    public init() {}

    /// Never asks for a cut.
    public var headBytes: Int { 0 }

    /// Takes lines.
    public func apply(_ records: borrowing ViewRecords) -> [Rejection] {
        var rejections: [Rejection] = []
        for record in records.records {
            guard let value = record.value else { continue }
            var headers: [String: String] = [:]
            for header in record.headers { headers[header.key] = String(decoding: header.value ?? [], as: UTF8.self) }
            fed.withLock { $0.append(Fed(value: String(decoding: value, as: UTF8.self), headers: headers)) }
            var parser = LineParser(value)
            while case .point = parser.next() {
                guard value[parser.key].starts(with: "no".utf8) else { continue }
                let reason = headers["rp"] == "nope" ? "retention policy not found: nope" : "refused by the view"
                rejections.append(
                    Rejection(
                        offset: record.offset, position: parser.line.lowerBound, content: Array(value[parser.line]),
                        reason: reason))
            }
        }
        return rejections
    }

    /// Has nothing to end.
    public func freeze(nextOffset: Int64) {}
    /// Has nothing to write.
    public func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange { ManifestChange() }
    /// Has nothing to compact.
    public func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? { nil }
    /// Has nothing to show.
    public func install(_ manifest: Manifest, from blocks: any BlockStore) throws(ViewError) {}

    /// Itself, for every partition.
    public func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine { self }
    /// Nobody reads it.
    public func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32) {}
    /// Nobody reads it.
    public func retire(_ topic: Topic, partition: Int32) {}
}
