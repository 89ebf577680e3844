/// Where requests about partitions can go right now: a snapshot for the pure states of producers and consumers.
struct Leaders: Sendable {
    let metadata: MetadataState
    /// The brokers that there is a connection to.
    let connected: Set<Int32>

    /// The leader of a partition, if it is known.
    func broker(of partition: Int32, in topic: String) -> Int32? {
        if case .known(let broker, _) = metadata.leader(of: partition, in: topic) { broker } else { nil }
    }
}
