import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Synchronization

/// A log on a simulated machine, with a model of what it has promised.
///
/// Every step acts on both and throws a `SimulationFailure` if the log breaks a promise. What the log may do depends on
/// the trouble around it: without injected faults it may refuse nothing.
final class LogSimulation {
    static let directory = "/data"

    let seed: UInt64
    let simulated: SimulatedMachine
    var chance: SeededGenerator
    let metadata = InMemoryMetadataStore()
    /// The backup that is being made.
    var backup: BackupUnderTest?
    /// Backups that were restored and looked at.
    var checkedBackups = 0
    var backupNumber = 0
    var lastBackup: String?
    private(set) var log: CommitLog
    var topics: [String: TopicModel] = [:]
    var producers: [SimulatedProducer] = []
    /// Names whose creation or deletion failed: after a restart they exist or not.
    var doubtfulTopics: [String: TopicModel?] = [:]
    /// Whether errors may come at any time, because faults are armed.
    private(set) var isTroubled = false
    /// Whether a fault was armed since the last restart: partitions may be fenced, and written bytes lost.
    private(set) var wasTroubled = false
    /// Rounds that went through the sync journal.
    var journalRounds: UInt64 { earlierJournalRounds + log.journalRounds }
    private var earlierJournalRounds: UInt64 = 0
    private let trace: SimulationTrace
    private var nextIdentity: UInt64 = 0

    init(seed: UInt64) throws {
        self.seed = seed
        var settings = SimulatedSettings()
        settings.readNanoseconds = 1_000...100_000
        settings.writeNanoseconds = 1_000...20_000
        settings.syncNanoseconds = 200_000...4_000_000
        simulated = SimulatedMachine(seed: seed, settings: settings)
        chance = SeededGenerator(seed: ~seed)
        trace = SimulationTrace()
        log = try Self.open(simulated, metadata, trace, seed)
    }

    /// Small segments, indexes and bounds, so that few records cross them all. Most lives have a sync journal, which
    /// takes rounds of one partition already, or of two, and is full after a few.
    static func settings(seed: UInt64) -> LogSettings {
        var settings = LogSettings()
        settings.journalBytes = [0, 12 << 10, 32 << 10, 32 << 10][Int(seed % 4)]
        settings.journalMinimumPartitions = 1 + Int(seed / 4 % 2)
        settings.topicDefaults.segmentBytes = 4_096
        settings.topicDefaults.indexIntervalBytes = 256
        settings.topicDefaults.retentionBytes = 12_000
        settings.maximumOpenSegments = 3
        settings.snapshotIntervalBytes = 2_000
        return settings
    }

    private static func open(
        _ simulated: SimulatedMachine, _ metadata: InMemoryMetadataStore, _ trace: SimulationTrace, _ seed: UInt64
    ) throws -> CommitLog {
        try CommitLog.open(
            directory: directory, settings: settings(seed: seed), machine: simulated.machine,
            metadata: SimulatedMetadataStore(metadata, on: simulated),
            onEvent: { trace.note("    \($0.partition) \($0.severity): \($0.message)") })
    }

    func note(_ step: String) {
        trace.note(step)
    }

    /// What was done and told so far.
    var steps: [String] { trace.steps }

    func identity() -> UInt64 {
        nextIdentity += 1
        return nextIdentity
    }

    // MARK: Trouble

    func arm(_ fault: SimulatedFault) {
        simulated.inject(fault)
        isTroubled = true
        wasTroubled = true
    }

    func calm() {
        simulated.clearFaults()
        isTroubled = false
    }

    /// Runs something that may fail only in trouble.
    ///
    /// - Returns: nil if it failed.
    func attempt<Result>(_ what: String, _ body: () throws -> Result) throws -> Result? {
        do {
            return try body()
        } catch let error as SimulationFailure {
            throw error
        } catch {
            // After a failed commit the metadata store refuses every other one until a restart.
            let isFenced = wasTroubled && (error as? LogError)?.code == .metadata
            try expect(isTroubled || simulated.isStopped || isFenced, "\(what) failed for no reason: \(error)")
            return nil
        }
    }

    // MARK: Ends and starts

    enum End: CaseIterable {
        case close
        case crash
        case powerCut
    }

    /// Ends the process in one way and starts the next one, which must find everything promised.
    func restart(_ end: End) throws {
        note("restart by \(end)")
        backup = nil
        if end == .close { log.close() }
        let isClean = end == .close && !wasTroubled && !simulated.isStopped
        // After a clean end, nothing may depend on the page cache.
        let isCrash = end == .crash || (end == .close && chance.coin())
        var keepsWritten = isClean || (isCrash && !wasTroubled)
        isCrash ? simulated.crash() : simulated.cutPower()
        while try !reopen() {
            let isCrash = chance.coin()
            note("restart again by \(isCrash ? "crash" : "power cut")")
            keepsWritten = keepsWritten && isCrash
            isCrash ? simulated.crash() : simulated.cutPower()
        }
        wasTroubled = simulated.owesSyncFailure
        try checkTopics()
        for (name, topic) in topics.sorted(by: { $0.key < $1.key }) {
            for index in topic.partitions.indices {
                try recover(
                    name, Int32(index), mayBeClean: end == .close, keepsWritten: keepsWritten || isClean)
            }
        }
        for index in producers.indices { producers[index].forgetConnection() }
    }

    /// Opens the log, perhaps under faults or with an end in the middle; then trouble is over.
    ///
    /// - Returns: whether everything serves.
    private func reopen() throws -> Bool {
        if chance.upTo(4) == 0 { simulated.stop(atOperation: 1 + chance.upTo(60)) }
        do {
            let rounds = log.journalRounds
            log = try Self.open(simulated, metadata, trace, seed)
            earlierJournalRounds += rounds
            log.flushDirty()
        } catch {
            try expect(isTroubled || simulated.isStopped, "cannot open: \(error)")
            note("open failed: \(error)")
            calm()
            return false
        }
        try checkLatest()
        let wasDisturbed = isTroubled || simulated.isStopped
        let isStopped = simulated.isStopped
        calm()
        if isStopped { return false }
        // What could not be read while it was disturbed is opened by the next use.
        for partition in log.topics().flatMap(\.partitions) { _ = partition.sizeBytes }
        log.flushDirty()
        for partition in log.topics().flatMap(\.partitions) {
            guard let reason = partition.fenceReason else { continue }
            try expect(wasDisturbed, "\(partition.topicName)-\(partition.index) is fenced: \(reason)")
            return false
        }
        return true
    }

    /// Whoever asks where a partition ends is never told less than was promised, though it may be told nothing.
    private func checkLatest() throws {
        for (name, model) in topics {
            for (index, partition) in model.partitions.enumerated() {
                guard let latest = try? log.topic(named: name)?.partition(Int32(index))?.latestOffset() else {
                    continue
                }
                try expect(
                    latest >= partition.promised,
                    "\(name)-\(index): \(partition.promised) promised, latest is \(latest)")
            }
        }
    }

    private func checkTopics() throws {
        for topic in log.topics() where topics[topic.name] == nil {
            guard let doubtful = doubtfulTopics[topic.name] else {
                throw SimulationFailure("topic \(topic.name) came out of nothing, or came back")
            }
            topics[topic.name] = doubtful ?? TopicModel(id: topic.id, partitionCount: topic.partitions.count)
        }
        for (name, model) in topics {
            guard let topic = log.topic(named: name) else {
                try expect(doubtfulTopics[name] != nil, "topic \(name) was lost")
                topics[name] = nil
                continue
            }
            try expect(topic.id == model.id, "topic \(name) has another id")
            var changed = model
            try checkChanges(topic, &changed)
            topics[name] = changed
        }
        doubtfulTopics = [:]
    }

    private func recover(_ name: String, _ index: Int32, mayBeClean: Bool, keepsWritten: Bool) throws {
        guard let partition = log.topic(named: name)?.partition(index), var model = topics[name]?.partitions[Int(index)]
        else { throw SimulationFailure("partition \(name)-\(index) was lost") }
        let start = partition.logStartOffset
        let end = partition.logEndOffset
        let latest = try partition.latestOffset()
        try expect(latest == end, "\(name)-\(index): recovered to \(end), the latest is \(latest)")
        try expect(
            partition.highWatermark == end,
            "\(name)-\(index): recovered to \(end), readable to \(partition.highWatermark)")
        do {
            let content = try content(of: partition, from: start, to: end)
            try model.recovered(from: start, to: end, content, keepsWritten: keepsWritten)
            try model.serves(leaderEpoch: partition.leaderEpoch)
        } catch {
            throw SimulationFailure("\(name)-\(index): \(error)")
        }
        // Records of two processes never share an epoch, unless the first one ended in order.
        let lastEpoch = model.batches.last?.leaderEpoch ?? -1
        try expect(
            mayBeClean || partition.leaderEpoch > lastEpoch,
            "\(name)-\(index): leader epoch \(partition.leaderEpoch) after \(lastEpoch)")
        topics[name]?.partitions[Int(index)] = model
    }

    func content(of partition: Partition, from start: Int64, to end: Int64) throws -> [UInt8] {
        var content: [UInt8] = []
        var offset = start
        while offset < end {
            let slice = try partition.read(from: offset, maximumBytes: 1 << 20, atLeastOneBatch: true)
            let bytes = try slice.bytes()
            try expect(!bytes.isEmpty, "nothing to read at \(offset), below \(end)")
            content += bytes
            offset = try Self.endOffset(of: bytes)
        }
        return content
    }

    /// The offset after the last of some whole batches.
    private static func endOffset(of bytes: [UInt8]) throws -> Int64 {
        var position = 0
        var end: Int64 = 0
        while position + 61 <= bytes.count {
            let base = bytes[position..<position + 8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            let length = bytes[position + 8..<position + 12].reduce(0) { $0 << 8 | Int($1) }
            let last = bytes[position + 23..<position + 27].reduce(Int64(0)) { $0 << 8 | Int64($1) }
            end = base + last + 1
            position += 12 + length
        }
        try expect(position == bytes.count, "a slice of \(bytes.count) bytes ends within a batch, below offset \(end)")
        return end
    }
}

/// A topic as it was created.
struct TopicModel {
    let id: Uuid
    var partitions: [PartitionModel]
    /// What it sets itself.
    var configs: [String: String] = [:]
    /// Changes that failed: after a restart they are there or not.
    var doubtfulConfigs: [[String: String]] = []
    var doubtfulCounts: Set<Int> = []

    init(id: Uuid, partitionCount: Int) {
        self.id = id
        partitions = Array(repeating: PartitionModel(), count: partitionCount)
    }

    mutating func grow(to count: Int) {
        while partitions.count < count { partitions.append(PartitionModel()) }
    }
}

extension LogSlice {
    func bytes() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        _ = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return bytes
    }
}

/// The steps of a simulation and the events of its log, in order.
final class SimulationTrace: Sendable {
    private let lines = Mutex<[String]>([])

    var steps: [String] { lines.withLock { $0 } }

    func note(_ line: String) {
        lines.withLock { $0.append(line) }
    }
}
