import Log
import Machine
import SimulatedMachine

extension LogSimulation {
    private static let names = ["alpha", "beta", "gamma"]

    /// Runs a random life of the log.
    func run(steps count: Int) throws {
        try createTopic("alpha", partitions: 2)
        for _ in 0..<count {
            try step()
            if simulated.isStopped { try restart(chance.coin() ? .crash : .powerCut) }
        }
        calm()
        try restart(.powerCut)
    }

    private func step() throws {
        switch chance.upTo(124) {
        case 0..<22:
            try withPartition { try appendPlain(to: $0, $1, durability(), count: size(5), payloadBytes: size(300)) }
        case 22..<46: try withProducer { try produce($0, count: size(5), payloadBytes: size(300)) }
        case 46..<62: try flush()
        case 62..<74: try readSomewhere()
        case 74..<76: try lookUpSomewhere()
        case 76..<79: checkpoint()
        case 79..<82: try enforceRetention()
        case 82..<84: try withProducer { try produceAgain($0) }
        case 84: try withProducer { try produceGap($0) }
        case 85: try withPartition { try produceDamaged(to: $0, $1) }
        case 86: try createTopic(Self.names[chance.upTo(2)], partitions: Int32(1 + chance.upTo(2)))
        case 87: if chance.upTo(3) == 0 { try deleteTopic(Self.names[chance.upTo(2)]) }
        case 88, 89: try withPartition { if producers.count < 6 { try addProducer(to: $0, $1) } }
        case 90: simulated.advance(milliseconds: Int64(chance.upTo(100_000)))
        case 91: simulated.jumpWallClock(byMilliseconds: Int64(chance.upTo(14_400_000)) - 7_200_000)
        case 92: try restart(.close)
        case 93: try restart(.crash)
        case 94: try restart(.powerCut)
        case 95, 96: stopSoon()
        case 97: armSomething()
        case 100..<104: try deleteSomewhere()
        case 104, 105: try alterSomewhere()
        case 106: try withPartition { name, _ in try createPartitions(name, total: Int32(2 + chance.upTo(2))) }
        case 108..<110: try beginBackup()
        case 110..<125: try stepBackup(1 + chance.upTo(5))
        default:
            note("calm")
            calm()
        }
    }

    private func size(_ maximum: Int) -> Int { 1 + chance.upTo(maximum - 1) }

    private func durability() -> Durability {
        [.none, .flushInterval, .now][chance.upTo(2)]
    }

    private func withPartition(_ body: (String, Int32) throws -> Void) throws {
        guard let name = topics.keys.sorted().randomElement(using: &chance), let topic = topics[name] else { return }
        try body(name, Int32(chance.upTo(topic.partitions.count - 1)))
    }

    private func withProducer(_ body: (Int) throws -> Void) throws {
        if producers.isEmpty { return try withPartition { try addProducer(to: $0, $1) } }
        try body(chance.upTo(producers.count - 1))
    }

    private func readSomewhere() throws {
        try withPartition { name, index in
            let end = Int(topics[name]?.partitions[Int(index)].endOffset ?? 0)
            try read(name, index, from: Int64(chance.upTo(end + 2)), maximumBytes: size(5_000))
        }
    }

    private func lookUpSomewhere() throws {
        try withPartition { name, index in
            guard let batches = topics[name]?.partitions[Int(index)].batches else { return }
            guard let batch = batches.randomElement(using: &chance)?.batch else { return }
            try lookUp(name, index, timestamp: batch.firstTimestamp + Int64(chance.upTo(6)) - 1)
        }
    }

    private func deleteSomewhere() throws {
        try withPartition { name, index in
            let end = log.topic(named: name)?.partition(index)?.highWatermark ?? 0
            try deleteRecords(name, index, before: Int64(chance.upTo(Int(end) + 2)) - 1)
        }
    }

    private func alterSomewhere() throws {
        let values: [(String, String)] = [
            ("segment.bytes", "2048"), ("retention.bytes", "8000"), ("retention.bytes", "-1"),
            ("index.interval.bytes", "64"),
        ]
        try withPartition { name, _ in
            let (config, value) = values[chance.upTo(values.count - 1)]
            try alterConfig(name, config, chance.coin() ? value : nil)
        }
    }

    private func stopSoon() {
        let count = 1 + chance.upTo(40)
        note("stop at operation \(count)")
        simulated.stop(atOperation: count)
    }

    private func armSomething() {
        let operations: [[SimulatedOperation]] = [
            [.write], [.synchronize, .synchronizeVolume], [.synchronizeDirectory], [.open], [.rename, .remove],
            [.truncate], [.createDirectory], [.commit], [.read], SimulatedOperation.allCases,
        ]
        let chosen = operations[chance.upTo(operations.count - 1)]
        let code: MachineError.Code = chance.coin() ? .device : .noSpace
        note("arm \(code) at \(chosen)")
        arm(SimulatedFault(code, at: Set(chosen), .probability(chance.coin() ? 0.5 : 0.05)))
    }
}
