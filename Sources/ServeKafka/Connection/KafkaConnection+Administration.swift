import Bytes
import KafkaWire

extension KafkaConnection {
    /// Handles the requests of administrators, whose handlers may all wait for the disk.
    func administer(_ stamp: RequestStamp, _ reader: inout ByteReader) throws(WireError) -> Outcome {
        let version = stamp.version
        switch stamp.api {
        case .deleteRecords:
            let request = try DeleteRecordsRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.topics.reduce(0) { $0 + 1 + $1.partitions.count }) {
                $0.deleteRecords(request)
            }
        case .offsetForLeaderEpoch:
            let request = try OffsetForLeaderEpochRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.topics.reduce(0) { $0 + 1 + $1.partitions.count }) {
                $0.offsetForLeaderEpoch(request)
            }
        case .describeConfigs:
            let request = try DescribeConfigsRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.resources.count) { $0.describeConfigs(request) }
        case .alterConfigs:
            let request = try AlterConfigsRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.resources.count) { $0.alterConfigs(request) }
        case .incrementalAlterConfigs:
            let request = try IncrementalAlterConfigsRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.resources.count) { $0.incrementalAlterConfigs(request) }
        case .describeLogDirs:
            let request = try DescribeLogDirsRequest(decoding: &reader, version: version)
            let count = request.topics?.reduce(0) { $0 + 1 + $1.partitions.count } ?? 0
            return offloaded(stamp, naming: count) { $0.describeLogDirs(request) }
        case .createPartitions:
            let request = try CreatePartitionsRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.topics.count) { $0.createPartitions(request) }
        case .describeProducers:
            let request = try DescribeProducersRequest(decoding: &reader, version: version)
            return offloaded(stamp, naming: request.topics.reduce(0) { $0 + 1 + $1.partitionIndexes.count }) {
                $0.describeProducers(request)
            }
        default: preconditionFailure("\(stamp.api) is routed elsewhere")
        }
    }

    /// Work for another thread, unless the request names too much.
    private func offloaded(
        _ stamp: RequestStamp, naming count: Int, _ work: @escaping @Sendable (Broker) -> any KafkaResponse
    ) -> Outcome {
        guard count <= broker.settings.maximumPartitionsPerRequest else {
            return .closed(.tooManyPartitions, "a \(stamp.api.name) request that names \(count) things")
        }
        let broker = broker
        return .offloaded { .other(work(broker)) }
    }
}
