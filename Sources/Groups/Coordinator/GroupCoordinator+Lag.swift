import Log
import Synchronization

/// How far a group is behind in a partition.
public struct GroupLag: Sendable, Equatable {
    /// The partition.
    public var place: GroupTopicPartition
    /// The next offset to be read, as committed.
    public var offset: Int64
    /// Offsets from there to the high watermark, as Kafka's tools count: what retention took meanwhile is counted too.
    /// 0 if the offset lies behind it.
    public var records: Int64
}

/// What operators watch.
extension GroupCoordinator {
    /// How many groups are in each state.
    public func groupCounts() -> [GroupState: Int] {
        registry.all.reduce(into: [:]) { counts, handle in
            counts[handle.cell.withLock { $0.group.state }, default: 0] += 1
        }
    }

    /// Members that wait for their answer: for a rebalance to end (JoinGroup), for an assignment (SyncGroup).
    public func waitingMembers() -> (joins: Int, syncs: Int) {
        registry.all.reduce(into: (0, 0)) { sum, handle in
            handle.cell.withLock { cell in
                sum.0 += cell.joins.count
                sum.1 += cell.syncs.count
            }
        }
    }

    /// Visits the groups that have offsets, in order of their ids, with how far each is behind, in order of topics and
    /// partitions. Topics and partitions that are gone are left out. No file is looked at.
    public func forEachLag(_ body: (_ groupID: String, _ lags: [GroupLag]) -> Void) {
        for handle in registry.all {
            let committed = handle.cell.withLock { $0.offsets.committed }
            var lags: [GroupLag] = []
            for (name, offsets) in committed.sorted(by: { $0.key < $1.key }) {
                guard let topic = log.topic(named: name) else { continue }
                for (index, placed) in offsets.sorted(by: { $0.key < $1.key }) {
                    guard let partition = topic.partition(index) else { continue }
                    let place = GroupTopicPartition(topic: name, partition: index)
                    let offset = placed.value.offset
                    lags.append(
                        GroupLag(
                            place: place, offset: offset, records: max(0, partition.highWatermark - max(0, offset))))
                }
            }
            if !lags.isEmpty { body(handle.id, lags) }
        }
    }
}
