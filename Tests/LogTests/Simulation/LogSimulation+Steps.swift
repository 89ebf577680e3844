import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

extension LogSimulation {
    // MARK: Topics

    func createTopic(_ name: String, partitions: Int32) throws {
        note("create \(name)")
        guard topics[name] == nil, doubtfulTopics[name] == nil else { return }
        let topic = try attempt("creating \(name)") {
            try log.createTopic(name, partitions: partitions, configs: [:])
        }
        guard let topic else {
            doubtfulTopics[name] = .some(nil)
            return
        }
        topics[name] = TopicModel(id: topic.id, partitionCount: Int(partitions))
        for partition in topic.partitions {
            try topics[name]?.partitions[Int(partition.index)].serves(leaderEpoch: partition.leaderEpoch)
        }
    }

    func deleteTopic(_ name: String) throws {
        note("delete \(name)")
        guard let model = topics[name] else { return }
        producers.removeAll { $0.topic == name }
        topics[name] = nil
        let deleted: Void? = try attempt("deleting \(name)") { try log.deleteTopic(model.id) }
        if deleted == nil {
            doubtfulTopics[name] = .some(model)
        } else {
            try expect(log.topic(named: name) == nil && log.topic(id: model.id) == nil, "\(name) is still there")
        }
    }

    // MARK: Appending

    /// Appends a batch, and takes what the log answers into the model.
    ///
    /// - Returns: where it ends, or nil if it was refused.
    func append(_ batch: SimulatedBatch, to name: String, _ index: Int32, _ durability: Durability) throws -> Int64? {
        guard topics[name] != nil, let partition = log.topic(named: name)?.partition(index) else { return nil }
        let epoch = partition.leaderEpoch
        var bytes = batch.bytes
        do {
            let result = try bytes.withUnsafeMutableBytes { bytes in
                // Every other batch takes the way of small requests.
                batch.identity % 2 == 0
                    ? try partition.append(bytes, durability: durability)
                    : try appendInGroup(bytes, to: partition, durability)
            }
            try expect(result.endOffset == result.baseOffset + Int64(batch.count), "a wrong end offset")
            if result.isDuplicate {
                try topics[name]?.partitions[Int(index)].checkDuplicate(batch, at: result.baseOffset)
            } else {
                try topics[name]?.partitions[Int(index)].appended(batch, at: result.baseOffset, leaderEpoch: epoch)
            }
            return result.endOffset
        } catch let error as LogError {
            let latest = simulated.machine.clock.wallMilliseconds() + 3_600_000
            if error.code == .invalidTimestamp, batch.timestamp(batch.count - 1) > latest { return nil }
            // Its answer was lost, and a restart may know only what followed it.
            if error.code == .outOfOrderSequence, let model = topics[name]?.partitions[Int(index)],
                let place = model.offset(of: batch), place < model.forgettable
            {
                return place + Int64(batch.count)
            }
            try checkRefusal(error, partition)
            topics[name]?.partitions[Int(index)].doubt(batch, leaderEpoch: epoch)
            return nil
        }
    }

    private func appendInGroup(
        _ bytes: UnsafeMutableRawBufferPointer, to partition: Partition, _ durability: Durability
    ) throws -> AppendResult {
        var group = AppendGroup()
        guard group.hasRoom(for: partition, byteCount: bytes.count) else {
            return try partition.append(bytes, durability: durability)
        }
        try group.add(bytes, to: partition, durability: durability, waiter: nil)
        var outcome: AppendGroup.Outcome?
        group.commit { outcome = $1 }
        switch try #require(outcome) {
        case .appended(let result), .waiting(let result): return result
        case .failed(let error): throw error
        }
    }

    private func checkRefusal(_ error: LogError, _ partition: Partition) throws {
        let isTrouble = [.noSpace, .fenced, .storage, .damaged, .closed].contains(error.code)
        let isExpected = isTroubled || simulated.isStopped || (wasTroubled && partition.fenceReason != nil)
        try expect(isTrouble && isExpected, "append to \(partition.topicName)-\(partition.index) failed: \(error)")
    }

    func appendPlain(to name: String, _ index: Int32, _ durability: Durability, count: Int, payloadBytes: Int) throws {
        note("append \(count) to \(name)-\(index)")
        let batch = SimulatedBatch(
            identity: identity(), count: count, payloadBytes: payloadBytes,
            firstTimestamp: simulated.machine.clock.wallMilliseconds())
        _ = try append(batch, to: name, index, durability)
    }

    func addProducer(to name: String, _ index: Int32) throws {
        note("new producer for \(name)-\(index)")
        guard let id = try attempt("allocating a producer id", { try log.nextProducerID() }) else { return }
        try expect(!producers.contains { $0.id == id }, "producer id \(id) was given twice")
        producers.append(SimulatedProducer(id: id, topic: name, partition: index))
    }

    /// Lets a producer send what is due: what failed, or something new.
    func produce(_ position: Int, count: Int, payloadBytes: Int) throws {
        var producer = producers[position]
        defer { producers[position] = producer }
        note("produce \(producer.id) to \(producer.topic)-\(producer.partition)")
        if producer.firstToSend == nil, producer.inFlight.count < SimulatedProducer.maximumInFlight {
            producer.enqueue(
                SimulatedBatch(
                    identity: identity(), count: count, payloadBytes: payloadBytes,
                    firstTimestamp: simulated.machine.clock.wallMilliseconds(), producerID: producer.id,
                    firstSequence: producer.nextSequence))
        }
        while let index = producer.firstToSend {
            let batch = producer.inFlight[index].batch
            guard let end = try append(batch, to: producer.topic, producer.partition, .now) else { return }
            note("  sequence \(batch.firstSequence) with \(batch.count) records ends at \(end)")
            producer.inFlight[index].endOffset = end
            let waiter = SimulatedWaiter()
            producer.inFlight[index].waiter = waiter
            let partition = log.topic(named: producer.topic)?.partition(producer.partition)
            if partition?.notifyWhenSynced(upTo: end, waiter) == false {
                try expect(try waiter.outcome() == nil, "a waiter was called though everything was synced")
                waiter.synced(nil)
            }
        }
    }

    /// Sends an acknowledged batch again, as after a lost response: it must be known.
    func produceAgain(_ position: Int) throws {
        let producer = producers[position]
        guard producer.inFlight.isEmpty, let batch = producer.acknowledged.randomElement(using: &chance) else { return }
        note("produce again \(producer.id), sequence \(batch.firstSequence)")
        guard let partition = topics[producer.topic]?.partitions[Int(producer.partition)],
            let place = partition.offset(of: batch), place >= partition.forgettable
        else { return }
        let before = partition.endOffset
        _ = try append(batch, to: producer.topic, producer.partition, .now)
        let after = topics[producer.topic]?.partitions[Int(producer.partition)].endOffset
        try expect(before == after, "stored twice: sequence \(batch.firstSequence)")
    }

    /// Sends a batch whose sequence leaves a gap: it must be refused.
    func produceGap(_ position: Int) throws {
        let producer = producers[position]
        guard producer.inFlight.isEmpty, producer.nextSequence > 0 else { return }
        // A producer of whom retention left no batch may be forgotten by a restart, and then go on anywhere.
        let model = topics[producer.topic]?.partitions[Int(producer.partition)]
        let start = log.topic(named: producer.topic)?.partition(producer.partition)?.logStartOffset ?? 0
        guard let last = producer.acknowledged.last, let place = model?.offset(of: last), place >= start else { return }
        note("produce gap \(producer.id)")
        // Whoever may be forgotten may then begin anywhere.
        guard let model = topics[producer.topic]?.partitions[Int(producer.partition)],
            let last = producer.acknowledged.last, let place = model.offset(of: last), place >= model.forgettable
        else { return }
        let batch = SimulatedBatch(
            identity: identity(), count: 1, payloadBytes: 1,
            firstTimestamp: simulated.machine.clock.wallMilliseconds(), producerID: producer.id,
            firstSequence: producer.nextSequence + 7)
        try expectRefusal(.outOfOrderSequence, batch.bytes, producer.topic, producer.partition)
    }

    /// Sends a batch with a flipped byte: it must be refused.
    func produceDamaged(to name: String, _ index: Int32) throws {
        note("append damaged to \(name)-\(index)")
        var bytes = SimulatedBatch(identity: identity(), count: 3, payloadBytes: 20, firstTimestamp: 1).bytes
        bytes[21 + chance.upTo(bytes.count - 22)] ^= 1 << UInt8(chance.upTo(7))
        try expectRefusal(.corruptBatch, bytes, name, index)
    }

    private func expectRefusal(_ code: LogError.Code, _ bytes: [UInt8], _ name: String, _ index: Int32) throws {
        guard topics[name] != nil, let partition = log.topic(named: name)?.partition(index) else { return }
        var bytes = bytes
        do {
            _ = try bytes.withUnsafeMutableBytes { try partition.append($0, durability: .now) }
        } catch let error as LogError {
            if error.code != code { try checkRefusal(error, partition) }
            return
        }
        throw SimulationFailure("accepted what is \(code)")
    }

    // MARK: Background work

    func flush() throws {
        note("flush")
        log.flushDirty()
        for position in producers.indices {
            guard let promised = try producers[position].collect() else { continue }
            let index = Int(producers[position].partition)
            try topics[producers[position].topic]?.partitions[index].promise(upTo: promised)
        }
    }

    func checkpoint() {
        note("checkpoint")
        log.checkpoint()
    }

    func enforceRetention() throws {
        note("retention")
        log.enforceRetention()
        try observe()
        guard isTroubled else { return }
        for (name, model) in topics {
            for index in model.partitions.indices { topics[name]?.partitions[index].mayForgetProducers() }
        }
    }

    /// Takes what every partition shows: what is readable is promised.
    func observe() throws {
        for (name, model) in topics {
            for index in model.partitions.indices {
                guard let partition = log.topic(named: name)?.partition(Int32(index)) else { continue }
                try topics[name]?.partitions[index].promise(upTo: partition.highWatermark)
                try topics[name]?.partitions[index].started(at: partition.logStartOffset)
                try topics[name]?.partitions[index].serves(leaderEpoch: partition.leaderEpoch)
            }
        }
    }

    // MARK: Reading

    func read(_ name: String, _ index: Int32, from offset: Int64, maximumBytes: Int) throws {
        note("read \(name)-\(index) from \(offset)")
        guard let partition = log.topic(named: name)?.partition(index),
            let model = topics[name]?.partitions[Int(index)]
        else { return }
        guard (partition.logStartOffset...partition.logEndOffset).contains(offset) else {
            return try expectOutOfRange(partition, offset)
        }
        let read = try attempt("reading") {
            let slice = try partition.read(from: offset, maximumBytes: maximumBytes, atLeastOneBatch: true)
            return (try slice.bytes(), slice.highWatermark)
        }
        guard let (bytes, highWatermark) = read else { return }
        try model.checkRead(bytes, from: offset, highWatermark: highWatermark, maximumBytes: maximumBytes)
        try observe()
    }

    private func expectOutOfRange(_ partition: Partition, _ offset: Int64) throws {
        do {
            _ = try partition.read(from: offset, maximumBytes: 1, atLeastOneBatch: true)
        } catch {
            return try expect(
                error.code == .offsetOutOfRange || isTroubled || simulated.isStopped, "reading at \(offset): \(error)")
        }
        throw SimulationFailure("read at \(offset), outside the log")
    }

    func lookUp(_ name: String, _ index: Int32, timestamp: Int64) throws {
        note("look up \(timestamp) in \(name)-\(index)")
        guard let partition = log.topic(named: name)?.partition(index),
            let model = topics[name]?.partitions[Int(index)]
        else { return }
        let expected = model.firstOffset(
            withTimestamp: timestamp, from: partition.logStartOffset, below: partition.highWatermark)
        guard let found = try attempt("looking up a time", { try partition.offset(forTimestamp: timestamp) }) else {
            return
        }
        try expect(
            found?.offset == expected,
            "time \(timestamp): found \(String(describing: found)), expected \(String(describing: expected))")
    }
}
