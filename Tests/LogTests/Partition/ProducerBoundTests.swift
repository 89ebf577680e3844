import MillraceTesting
import SimulatedMachine
import Testing

@testable import Log

@Suite struct ProducerBoundTests {
    private func site(limit: Int) throws -> (Site, CommitLog, [Partition]) {
        var settings = LogSettings()
        settings.maximumProducers = limit
        let site = Site()
        let log = try site.open(settings)
        return (site, log, try log.createTopic("t", partitions: 3, configs: [:]).partitions)
    }

    private func produce(_ producer: Int64, to partition: Partition, sequence: Int32 = 0) throws -> AppendResult {
        try partition.append(batch(["x"], producer: producer, epoch: 0, sequence: sequence))
    }

    @Test func aPartitionThatMeetsOneTooManyForgetsItsOwnOldest() throws {
        let (_, log, partitions) = try site(limit: 10)
        for producer in 0..<4 as Range<Int64> { _ = try produce(producer, to: partitions[0]) }
        for producer in 0..<20 as Range<Int64> { _ = try produce(producer, to: partitions[1]) }
        #expect(log.rememberedProducers == 10 && log.forgottenProducers == 14)
        #expect(try partitions[0].producers().map(\.producerID) == [0, 1, 2, 3])
        #expect(try partitions[1].producers().map(\.producerID) == Array(14..<20))
        #expect(try produce(19, to: partitions[1]).isDuplicate, "it is remembered")
        #expect(try !produce(2, to: partitions[1], sequence: 77).isDuplicate, "the forgotten go on anywhere")
    }

    @Test func thePartitionsNewestStays() throws {
        let (_, log, partitions) = try site(limit: 1)
        for partition in partitions {
            for producer in 0..<3 as Range<Int64> { _ = try produce(producer, to: partition) }
            #expect(try partition.producers().map(\.producerID) == [2])
        }
        #expect(log.rememberedProducers == 3, "as many too many as partitions")
    }

    @Test func whoWasIdleLongestAnywhereGoesWithTheNextPass() throws {
        let (site, log, partitions) = try site(limit: 32)
        for producer in 0..<31 as Range<Int64> {
            _ = try produce(producer, to: partitions[Int(producer % 2)])
            site.simulation.advance(milliseconds: 10)
        }
        _ = try produce(0, to: partitions[0], sequence: 1)
        log.boundProducers()
        #expect(log.rememberedProducers == 28 && log.forgottenProducers == 3)
        #expect(try partitions[0].producers().map(\.producerID).prefix(3) == [0, 4, 6])
        #expect(try partitions[1].producers().map(\.producerID).prefix(2) == [5, 7])
        #expect(site.messages().contains { $0.hasPrefix("3 idle idempotent producers are forgotten") })
        log.boundProducers()
        #expect(log.forgottenProducers == 3, "there is room")
    }

    @Test func whatIsDeletedOrClosedCountsNoMore() throws {
        let (site, log, partitions) = try site(limit: 100)
        for partition in partitions { _ = try produce(1, to: partition) }
        try log.deleteTopic(partitions[0].topicID)
        #expect(log.rememberedProducers == 0)
        let topic = try log.createTopic("u", partitions: 1, configs: [:])
        _ = try produce(1, to: topic.partitions[0])
        log.close()
        #expect(log.rememberedProducers == 0)
        let again = try site.open()
        #expect(try again.topic(named: "u")?.partitions[0].producers().count == 1)
        #expect(again.rememberedProducers == 1)
    }
}
