extension ProducerState {
    /// Puts the parts of a batch that was too large in its place. What became of the batch meanwhile stands.
    mutating func split(_ id: Int, into parts: [OversizedBatch.Part]) {
        guard parts.count > 1, let batch = batches.removeValue(forKey: id) else { return }
        let ids = (0..<parts.count).map { nextBatchID + $0 }
        nextBatchID += parts.count
        slots[batch.slot].queue.split(id: id, into: zip(ids, parts).map { ($0, Int32($1.recordCount)) })
        // Whoever waits for the batch waits for each of its parts.
        for index in flushes.indices where batch.order <= flushes[index].upTo { flushes[index].left += parts.count - 1 }
        var (first, reserved) = (0, batch.reservedBytes)
        for (id, part) in zip(ids, parts) {
            let places = first..<first + part.recordCount
            let share =
                places.upperBound == batch.recordCount
                ? reserved : batch.reservedBytes * part.recordCount / batch.recordCount
            batches[id] = Sealed(
                slot: batch.slot, order: batch.order, claims: Claim.cut(batch.claims, to: places),
                recordCount: part.recordCount, reservedBytes: share, bytes: part.bytes)
            (first, reserved) = (places.upperBound, reserved - share)
        }
    }
}
