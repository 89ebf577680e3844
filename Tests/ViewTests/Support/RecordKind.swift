import Log
import Synchronization
import View

/// Record engines for every partition, and which one readers see.
final class RecordKind: ViewKind {
    private let published = Mutex<[String: RecordEngine]>([:])

    func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine {
        RecordEngine(seesEachOnce: true)
    }

    func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32) {
        guard let engine = engine as? RecordEngine else { return }
        published.withLock { $0["\(topic.name)-\(partition)"] = engine }
    }

    func retire(_ topic: Topic, partition: Int32) {
        published.withLock { $0["\(topic.name)-\(partition)"] = nil }
    }

    func engine(_ topic: String, _ partition: Int32 = 0) -> RecordEngine? {
        published.withLock { $0["\(topic)-\(partition)"] }
    }
}
