import KafkaWire

/// How the leader of a group shares partitions out: Kafka's eager assignors, which every client knows. Pure.
enum GroupAssignor: String, CaseIterable, Sendable {
    /// Each topic's partitions in neighbouring runs, one run per member.
    case range
    /// All partitions in turn.
    case roundrobin

    /// Shares out partitions.
    ///
    /// - Parameters:
    ///   - wishes: the topics that each member wants, by member id.
    ///   - partitionCounts: how many partitions the topics have; topics that do not exist are left out.
    /// - Returns: the partitions of every member.
    func share(_ wishes: [String: Set<String>], _ partitionCounts: [String: Int32]) -> [String: [TopicPartition]] {
        var shares = wishes.mapValues { _ in [TopicPartition]() }
        switch self {
        case .range:
            for (topic, count) in partitionCounts.sorted(by: { $0.key < $1.key }) {
                let members = wishes.filter { $0.value.contains(topic) }.keys.sorted()
                guard !members.isEmpty else { continue }
                let (each, more) = Int(count).quotientAndRemainder(dividingBy: members.count)
                var next = 0
                for (index, member) in members.enumerated() {
                    let size = each + (index < more ? 1 : 0)
                    shares[member, default: []] += (next..<(next + size)).map { TopicPartition(topic, Int32($0)) }
                    next += size
                }
            }
        case .roundrobin:
            let members = wishes.keys.sorted()
            guard !members.isEmpty else { return shares }
            var turn = 0
            for (topic, count) in partitionCounts.sorted(by: { $0.key < $1.key }) {
                guard members.contains(where: { wishes[$0]?.contains(topic) == true }) else { continue }
                for partition in 0..<count {
                    while wishes[members[turn % members.count]]?.contains(topic) != true { turn += 1 }
                    shares[members[turn % members.count], default: []].append(TopicPartition(topic, partition))
                    turn += 1
                }
            }
        }
        return shares
    }
}
