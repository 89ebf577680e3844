/// Which batches of an answer belong to transactions that were aborted (KIP-98), as a pure value that is shown the
/// batches in order.
struct AbortedTransactions: Sendable {
    /// Not begun yet, by the offset at which each begins.
    private var coming: [(producer: Int64, firstOffset: Int64)] = []
    /// Begun and not ended by a marker yet.
    private var open: Set<Int64> = []

    /// Takes what the broker listed beside the batches.
    mutating func add(_ transactions: [(producer: Int64, firstOffset: Int64)]) {
        coming = (coming + transactions).sorted { $0.firstOffset > $1.firstOffset }
    }

    /// Whether the reader is not to see a batch: markers never, and what a producer wrote between the first offset of
    /// an aborted transaction and its marker.
    mutating func hides(_ batch: ConsumedBatch) -> Bool {
        while let last = coming.last, last.firstOffset < batch.nextOffset {
            open.insert(last.producer)
            coming.removeLast()
        }
        if batch.isControl {
            if batch.isAbortMarker { open.remove(batch.producerID) }
            return true
        }
        return batch.isTransactional && open.contains(batch.producerID)
    }
}
