import Instruments
import KafkaWire
import Log
import Machine
import Telemetry
import View

extension Ingest {
    /// How far a request came before anything has to be waited for.
    public struct PendingWrite: Sendable {
        fileprivate let topic: Topic
        fileprivate let appended: [(partition: Partition, offsets: Range<Int64>)]
        fileprivate var refusal: WriteRefusal
        fileprivate let points: Int
    }

    /// The first half of a write, which waits for nothing.
    public enum Begun: Sendable {
        /// The good lines are in the log: `finish` waits for them.
        case pending(PendingWrite)
        /// That is all.
        case done(WriteOutcome)
    }

    /// Writes lines: what `begin` and `finish` do, one after the other.
    public func write(_ request: WriteRequest, _ lines: [UInt8]) async -> WriteOutcome {
        switch lines.withUnsafeBytes({ begin(request, $0) }) {
        case .done(let outcome): return outcome
        case .pending(let pending): return await finish(pending)
        }
    }

    /// Checks the lines of a request, and appends the good ones to the database's topic. The bytes are free afterwards.
    public func begin(_ request: WriteRequest, _ lines: UnsafeRawBufferPointer) -> Begun {
        guard let topic = topic(ofDatabase: request.database) else { return done(.databaseNotFound) }
        var request = request
        if request.guessesPrecision { request.precision = PrecisionGuess.precision(of: lines) }
        let admission = LineAdmission(
            lines, precision: request.precision,
            bounds: .init(
                recordBytes: settings.recordBytes, lineBytes: lineBytes(topic), explainedLines: settings.explainedLines,
                partitions: topic.partitions.count))
        figures.bytes.add(UInt64(lines.count))
        var refusal = admission.refusal
        guard admission.isWhole || (request.acceptsPartial && admission.pointCount > 0) else {
            return done(.refused(refusal))
        }
        refusal.written = admission.pointCount
        let now = clock.wallMilliseconds()
        let headers = BatchComposer.headers(
            for: request, timeNanoseconds: admission.needsTime ? now.multipliedReportingOverflow(by: 1_000_000).0 : nil)
        var appended: [(partition: Partition, offsets: Range<Int64>)] = []
        for (stream, partition) in zip(admission.streams, topic.partitions) where stream.count > 0 {
            do {
                var batches = BatchComposer.compose(
                    stream, of: lines, headers: headers, timeMilliseconds: now,
                    batchBytes: min(Int(settings.batchBytes), Int(topic.configuration.maximumMessageBytes)))
                let view = request.isAnswered ? try? views.view(of: topic.id, partition: partition.index) : nil
                let result = try batches.withUnsafeMutableBytes { bytes in
                    try partition.append(bytes, durability: .now) { view?.expect($0) }
                }
                appended.append((partition, result.baseOffset..<result.endOffset))
            } catch {
                abandon(appended, of: topic)
                return done(outcome(of: error))
            }
        }
        guard !appended.isEmpty else { return done(.written(points: 0)) }
        return .pending(
            PendingWrite(topic: topic, appended: appended, refusal: refusal, points: admission.pointCount))
    }

    /// Waits until what was appended is synced and applied.
    public func finish(_ pending: PendingWrite) async -> WriteOutcome {
        var refusal = pending.refusal
        for (partition, offsets) in pending.appended {
            if let error = await waitUntilSynced(partition, offsets.upperBound) {
                abandon(pending.appended, of: pending.topic)
                return count(outcome(of: error))
            }
            do throws(ViewError) {
                let view = try views.view(of: pending.topic.id, partition: partition.index)
                let applied = try await view.waitUntilApplied(
                    offsets, timeoutMilliseconds: settings.timeoutMilliseconds)
                if let outcome = add(applied, to: &refusal) { return count(outcome) }
            } catch {
                abandon(pending.appended, of: pending.topic)
                return count(outcome(of: error))
            }
        }
        refusal.written = max(0, refusal.written)
        guard refusal.unreadable == 0, refusal.dropped == 0 else { return count(.refused(refusal)) }
        return count(.written(points: pending.points))
    }

    /// The sender gets another answer than what becomes of these records: what is refused of them from now on goes to
    /// `rejected.<topic>`.
    private func abandon(_ appended: [(partition: Partition, offsets: Range<Int64>)], of topic: Topic) {
        for (partition, offsets) in appended {
            try? views.view(of: topic.id, partition: partition.index).abandon(offsets)
        }
    }

    /// The name of a retention policy that a view did not find.
    private static func missingPolicy(_ reason: String) -> String? {
        let beginning = "retention policy not found: "
        return reason.hasPrefix(beginning) ? String(reason.dropFirst(beginning.count)) : nil
    }

    /// - Returns: what the whole request comes to if it is not the refusal of points.
    private func add(_ applied: AppliedOutcome, to refusal: inout WriteRefusal) -> WriteOutcome? {
        for rejection in applied.rejections {
            if let name = Self.missingPolicy(rejection.reason) { return .retentionPolicyNotFound(name) }
            refusal.dropped += rejection.count
            refusal.written -= rejection.count
            guard !refusal.lines.contains(where: { $0.reason == rejection.reason }), refusal.lines.count < 200 else {
                continue
            }
            refusal.lines.append(
                .init(number: nil, text: String(decoding: rejection.content, as: UTF8.self), reason: rejection.reason))
        }
        guard !applied.isWhole else { return nil }
        return .failed("too much was refused at the same time to tell what of this request was")
    }

    func waitUntilSynced(_ partition: Partition, _ offset: Int64) async -> LogError? {
        await withCheckedContinuation { continuation in
            let waiter = SyncContinuation(continuation)
            if !partition.notifyWhenSynced(upTo: offset, waiter) { waiter.synced(nil) }
        }
    }

    /// The longest line that a record of the topic holds, with its newline.
    private func lineBytes(_ topic: Topic) -> Int {
        // A batch with one record and its headers takes at most so much more: 61 bytes and those of the header `rp`.
        min(settings.lineBytes, Int(topic.configuration.maximumMessageBytes) - 1_024)
    }

    private func done(_ outcome: WriteOutcome) -> Begun { .done(count(outcome)) }
}

/// Resumes whoever waits for a sync.
private final class SyncContinuation: SyncWaiter {
    private let continuation: CheckedContinuation<LogError?, Never>

    init(_ continuation: CheckedContinuation<LogError?, Never>) { self.continuation = continuation }

    func synced(_ error: LogError?) { continuation.resume(returning: error) }
}
