import Bytes
public import Decode
import Instruments
import KafkaWire
public import Log
import Machine
import Search
import Telemetry
import View

/// The way of lines: checked, appended as log records to the tenant's topic.
extension Ingest {
    /// How far a push came before anything has to be waited for.
    public struct PendingPush: Sendable {
        fileprivate let topic: Topic
        fileprivate let appended: [Appended]
        fileprivate var refusal: PushRefusal
        fileprivate let lines: Int
    }

    fileprivate struct Appended: Sendable {
        let partition: Partition
        let offsets: Range<Int64>
        /// Whether the answer is a promise that no power cut takes these back.
        let isDurable: Bool
    }

    /// The first half of a push, which waits for nothing.
    public enum BegunPush: Sendable {
        /// The good lines are in the log: `finish` waits for what the sender is promised.
        case pending(PendingPush)
        /// That is all.
        case done(PushOutcome)
    }

    /// Pushes lines: what `begin` and `finish` do, one after the other.
    public func push(_ push: LinePush, tenant: String) async -> PushOutcome {
        switch begin(push, tenant: tenant) {
        case .done(let outcome): return outcome
        case .pending(let pending): return await finish(pending)
        }
    }

    /// Checks the lines of a push, and appends the good ones to the tenant's topic, which is created by the first.
    ///
    /// - Parameter isDurable: whether the answer waits for the sync whatever the streams are.
    public func begin(_ push: LinePush, tenant: String, isDurable wantsDurable: Bool = false) -> BegunPush {
        lineFigures.bytes.add(UInt64(push.bytes.count))
        let admission = LogsAdmission(push, limits: settings.searchLimits)
        var refusal = admission.refusal
        refusal.written = admission.lineCount
        guard refusal.written > 0 else {
            return done(refusal.refused > 0 ? .refused(refusal) : .written(lines: 0))
        }
        let topic: Topic
        do throws(IngestError) {
            topic = try logsTopic(of: tenant)
        } catch {
            return done(error.code == .busy ? .busy(error.message) : .tenantRefused(error.message))
        }
        var appended: [Appended] = []
        do {
            for (partition, streams) in Self.route(admission.streams, topic) {
                let isDurable =
                    wantsDurable || topic.configuration.isDurable
                    || streams.contains { settings.durableStreams.contains($0.labels) }
                let offsets = try append(streams, of: push, to: partition, topic)
                appended.append(Appended(partition: partition, offsets: offsets, isDurable: isDurable))
            }
        } catch {
            abandon(appended, of: topic)
            return done(pushOutcome(of: error))
        }
        return .pending(PendingPush(topic: topic, appended: appended, refusal: refusal, lines: admission.lineCount))
    }

    /// The streams by partition: of one stream all lines go to the same.
    private static func route(
        _ streams: [LogsAdmission.Stream], _ topic: Topic
    ) -> [(Partition, [LogsAdmission.Stream])] {
        guard topic.partitions.count > 1 else { return [(topic.partitions[0], streams)] }
        let byPartition = Dictionary(grouping: streams.filter { !$0.entries.isEmpty }) { stream in
            // FNV-1a: decides where a stream's lines are, so it must never change.
            let hash = stream.key.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
            }
            return Int(hash % UInt64(topic.partitions.count))
        }
        return byPartition.sorted { $0.key < $1.key }.map { (topic.partitions[$0.key], $0.value) }
    }

    private func append(
        _ streams: [LogsAdmission.Stream], of push: LinePush, to partition: Partition, _ topic: Topic
    ) throws -> Range<Int64> {
        let batchBytes = min(Int(settings.batchBytes), Int(topic.configuration.maximumMessageBytes))
        var composer = LogsComposer(
            batchBytes: batchBytes, capacity: LogsComposer.capacity(for: streams, of: push, batchBytes: batchBytes))
        for stream in streams { composer.add(stream, of: push) }
        var batches = composer.finish()
        let view = try? views.view(of: topic.id, partition: partition.index)
        let result = try batches.withUnsafeMutableBytes { bytes in
            try partition.append(bytes, durability: .now) { view?.expect($0) }
        }
        return result.baseOffset..<result.endOffset
    }

    /// Waits until the lines of durable streams are synced; and for a moment until all are applied, so that a query
    /// after the answer finds them. If that takes longer, they are found later: the answer does not depend on it.
    public func finish(_ pending: PendingPush) async -> PushOutcome {
        for appended in pending.appended where appended.isDurable {
            if let error = await waitUntilSynced(appended.partition, appended.offsets.upperBound) {
                abandon(pending.appended, of: pending.topic)
                return count(pushOutcome(of: error))
            }
        }
        var refusal = pending.refusal
        for appended in pending.appended {
            let view = try? views.view(of: pending.topic.id, partition: appended.partition.index)
            guard let view else { continue }
            do throws(ViewError) {
                let applied = try await view.waitUntilApplied(
                    appended.offsets, timeoutMilliseconds: settings.visibleMilliseconds)
                for rejection in applied.rejections {
                    refusal.add(rejection.reason, count: rejection.count)
                    refusal.written -= rejection.count
                    if rejection.reason.hasPrefix(Self.streamLimit) { refusal.isLimit = true }
                }
            } catch {
                view.abandon(appended.offsets)
            }
        }
        return count(refusal.refused > 0 ? .refused(refusal) : .written(lines: pending.lines))
    }

    /// How the reason begins with which a view refuses a new stream beyond the bound.
    private static let streamLimit = "Maximum active stream limit exceeded"

    /// What is refused of these from now on goes to `rejected.<topic>`.
    private func abandon(_ appended: [Appended], of topic: Topic) {
        for appended in appended {
            try? views.view(of: topic.id, partition: appended.partition.index).abandon(appended.offsets)
        }
    }

    private func pushOutcome(of error: any Error) -> PushOutcome {
        switch outcome(of: error) {
        case .busy(let text): .busy(text)
        case .databaseNotFound: .busy("the tenant's topic was deleted meanwhile; try again")
        case .failed(let text): .failed(text)
        case .written, .refused, .retentionPolicyNotFound: .failed("\(error)")
        }
    }

    /// The time of lines that have none, in nanoseconds since 1970.
    public var nowNanoseconds: Int64 { clock.wallMilliseconds().multipliedReportingOverflow(by: 1_000_000).0 }

    /// Counts a push whose body could not be read, or for which there was no room.
    public func countUnreadPush(isBusy: Bool) { lineFigures.count(isBusy ? .busy : .refused) }

    private func done(_ outcome: PushOutcome) -> BegunPush { .done(count(outcome)) }

    private func count(_ outcome: PushOutcome) -> PushOutcome {
        lineFigures.count(outcome)
        return outcome
    }
}

/// Tenants and their topics.
extension Ingest {
    /// The topic of a tenant's lines; nil if there is none.
    public func topic(ofTenant name: String) -> Topic? {
        if let topic = TopicNaming.topic(ofTenant: name).flatMap(log.topic(named:)),
            topic.configuration.view == .search
        {
            return topic
        }
        // A topic of another name can be a tenant's too.
        guard let topic = log.topic(named: name), topic.configuration.view == .search,
            TopicNaming.tenant(ofTopic: topic.name) == name
        else { return nil }
        return topic
    }

    /// The topic of a tenant's lines, created if there is none.
    ///
    /// - Throws: `.invalidName`, `.limitReached`, `.busy`, `.failed`.
    private func logsTopic(of tenant: String) throws(IngestError) -> Topic {
        if let reason = TenantName.refusal(of: tenant) { throw IngestError(.invalidName, reason) }
        if let topic = topic(ofTenant: tenant) { return topic }
        guard let name = TopicNaming.topic(ofTenant: tenant) else {
            throw IngestError(.invalidName, "tenant ID is too long: it does not fit into the name of a topic")
        }
        let tenants = log.topics().count { $0.configuration.view == .search }
        guard tenants < settings.maximumTenants else {
            throw IngestError(.limitReached, "there are \(settings.maximumTenants) tenants, which is the bound")
        }
        do throws(LogError) {
            return try log.createTopic(
                name, partitions: 1,
                configs: ["millrace.view": "search", "max.message.bytes": "\(settings.batchBytes)"])
        } catch {
            // Another push may have been faster.
            if error.code == .topicExists, let topic = topic(ofTenant: tenant) { return topic }
            if error.code == .topicExists {
                throw IngestError(.invalidName, "the topic \(name) is there, but without millrace.view=search")
            }
            throw IngestError(of: error)
        }
    }
}
