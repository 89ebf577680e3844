// DescribeLogDirs (35): served 1 to 5.
//
// Deviations from Kafka: there is one directory. A partition that nobody has used yet is not opened; its files are
// asked for their sizes. The lag is 0: the end of a partition is never behind the high watermark.

import KafkaWire
import Log
import Logging
import Machine

extension Broker {
    /// Answers DescribeLogDirs. Asks the file system.
    func describeLogDirs(_ request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
        var result = DescribeLogDirsResponse.DescribeLogDirsResult()
        result.logDir = log.directory
        do throws(LogError) {
            let capacity = try log.volumeCapacity()
            result.totalBytes = capacity.totalBytes
            result.usableBytes = capacity.availableBytes
            for (topic, partitions) in asked(request) {
                var answer = DescribeLogDirsResponse.DescribeLogDirsTopic()
                answer.name = topic.name
                for partition in partitions {
                    var part = DescribeLogDirsResponse.DescribeLogDirsPartition()
                    part.partitionIndex = partition.index
                    part.partitionSize = try partition.storedBytes()
                    answer.partitions.append(part)
                }
                result.topics.append(answer)
            }
        } catch {
            result.errorCode = error.kafkaCode
            result.topics = []
            logger.warning("cannot describe the log's directory", metadata: ["error": "\(error)"])
            instruments.countError(.describeLogDirs, result.errorCode.name)
        }
        var response = DescribeLogDirsResponse()
        response.results = [result]
        return response
    }

    /// What exists of the topics and partitions asked for, each once; null asks for all.
    private func asked(_ request: DescribeLogDirsRequest) -> [(Topic, [Partition])] {
        guard let topics = request.topics else { return log.topics().map { ($0, $0.partitions) } }
        let wanted = Dictionary(grouping: topics, by: \.topic).mapValues { Set($0.flatMap(\.partitions)) }
        return wanted.sorted { $0.key < $1.key }.compactMap { name, indices in
            guard let topic = log.topic(named: name) else { return nil }
            return (topic, indices.sorted().compactMap(topic.partition))
        }
    }
}
