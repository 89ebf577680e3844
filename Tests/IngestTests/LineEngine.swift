import KafkaWire
import Log
import Machine
import Synchronization
import Telemetry
import View

/// A view that keeps the lines it is fed, with the headers of their records, and refuses those of the measurement `no`.
final class LineEngine: ViewEngine, ViewKind {
    struct Fed: Sendable, Equatable {
        let value: String
        let headers: [String: String]
    }

    let fed = Mutex<[Fed]>([])

    var headBytes: Int { 0 }

    func apply(_ records: borrowing ViewRecords) -> [Rejection] {
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

    func freeze(nextOffset: Int64) {}
    func write(to blocks: any BlockStore) throws(ViewError) -> ManifestChange { ManifestChange() }
    func compact(to blocks: any BlockStore, nowMilliseconds: Int64) throws(ViewError) -> ManifestChange? { nil }
    func install(_ manifest: Manifest, from blocks: any BlockStore) throws(ViewError) {}

    func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine { self }
    func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32) {}
    func retire(_ topic: Topic, partition: Int32) {}
}
