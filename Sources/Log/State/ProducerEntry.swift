/// A batch as it is remembered to recognise a repetition of it.
struct ProducerBatch: Sendable, Equatable {
    var firstSequence: Int32 = 0
    var lastSequence: Int32 = 0
    var baseOffset: Int64 = 0
    var endOffset: Int64 = 0
    var timestamp: Int64 = -1
}

/// What a partition remembers of one idempotent producer: the epoch and the last five batches.
struct ProducerEntry: Sendable {
    /// Kafka's producers have at most five requests in flight, so a repetition is one of the last five batches.
    static let window = 5

    let producerID: Int64
    private(set) var epoch: Int16
    private(set) var lastTimestamp: Int64 = -1
    private var ring = InlineArray<5, ProducerBatch>(repeating: ProducerBatch())
    private var appended = 0

    init(producerID: Int64, epoch: Int16) {
        self.producerID = producerID
        self.epoch = epoch
    }

    /// How many batches are remembered.
    var count: Int { min(appended, Self.window) }

    /// The remembered batches, oldest first.
    subscript(index: Int) -> ProducerBatch {
        ring[(appended - count + index) % Self.window]
    }

    /// The sequence number of the last record, or -1 before the first batch.
    var lastSequence: Int32 { count == 0 ? -1 : self[count - 1].lastSequence }

    /// The remembered batch that `batch` repeats.
    func repetition(of batch: BatchFacts) -> ProducerBatch? {
        guard batch.producerEpoch == epoch else { return nil }
        let lastSequence = batch.lastSequence
        for index in 0..<count {
            let known = self[index]
            if known.firstSequence == batch.baseSequence && known.lastSequence == lastSequence { return known }
        }
        return nil
    }

    mutating func record(_ batch: ProducerBatch, epoch: Int16, lastTimestamp: Int64) {
        if epoch != self.epoch {
            self.epoch = epoch
            appended = 0
        }
        ring[appended % Self.window] = batch
        appended = appended < 2 * Self.window ? appended + 1 : appended + 1 - Self.window
        self.lastTimestamp = lastTimestamp
    }
}

extension ProducerEntry: Equatable {
    static func == (left: ProducerEntry, right: ProducerEntry) -> Bool {
        left.producerID == right.producerID && left.epoch == right.epoch && left.lastTimestamp == right.lastTimestamp
            && left.count == right.count && (0..<left.count).allSatisfy { left[$0] == right[$0] }
    }
}
