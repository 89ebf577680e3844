import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Testing

/// One fixed life of a log, with each of its operations failing in turn.
@Suite struct FaultSweepTests {
    /// Creates, fills, rolls, checkpoints, retains, deletes, closes and opens anew.
    private func live(_ simulation: LogSimulation) throws {
        try simulation.createTopic("alpha", partitions: 2)
        try simulation.createTopic("beta", partitions: 1)
        try simulation.addProducer(to: "alpha", 0)
        for round in 0..<3 {
            for _ in 0..<2 {
                if !simulation.producers.isEmpty { try simulation.produce(0, count: 3, payloadBytes: 500) }
                try simulation.appendPlain(to: "alpha", 1, .now, count: 2, payloadBytes: 1_500)
            }
            try simulation.appendPlain(to: "beta", 0, .flushInterval, count: 1, payloadBytes: 2_500)
            try simulation.flush()
            // Small appends to segments that are synced: what the sync journal takes.
            for _ in 0..<2 {
                try simulation.appendPlain(to: "alpha", 0, .now, count: 1, payloadBytes: 40)
                try simulation.appendPlain(to: "alpha", 1, .now, count: 1, payloadBytes: 40)
                try simulation.flush()
            }
            try simulation.read("alpha", 0, from: 0, maximumBytes: 2_000)
            if round == 0 { simulation.checkpoint() }
            if round == 1 { try simulation.deleteTopic("beta") }
        }
        try simulation.enforceRetention()
    }

    /// Runs the life with a disturbance, ends it, and lets the next process judge.
    private func judge(_ what: String, seed: UInt64, end: LogSimulation.End, _ disturb: (LogSimulation) -> Void) throws
    {
        // Every fourth seed goes without a sync journal; the sweep is for those with one.
        let simulation = try LogSimulation(seed: 4 * seed + 1 + seed % 3)
        disturb(simulation)
        do {
            try live(simulation)
            simulation.calm()
            try simulation.restart(end)
            try simulation.appendPlain(to: "alpha", 0, .now, count: 1, payloadBytes: 10)
            try simulation.flush()
            try simulation.restart(.powerCut)
        } catch {
            Issue.record(
                "\(what), ended by \(end): \(error)\nafter\n  \(simulation.steps.suffix(12).joined(separator: "\n  "))")
            throw error
        }
    }

    /// How many calls the life makes, when nothing disturbs it, and it ends in order.
    private func calls(of operations: [SimulatedOperation] = SimulatedOperation.allCases) throws -> Int {
        let simulation = try LogSimulation(seed: 1)
        func count() -> Int { operations.reduce(0) { $0 + simulation.simulated.calls(of: $1) } }
        let before = count()
        try live(simulation)
        try simulation.restart(.close)
        return max(1, count() - before)
    }

    @Test func theLifeUsesTheJournal() throws {
        for seed in 1...3 as ClosedRange<UInt64> {
            let simulation = try LogSimulation(seed: seed)
            try live(simulation)
            #expect(simulation.journalRounds >= 4, "seed \(seed)")
        }
    }

    private static let faults: [(SimulatedOperation, MachineError.Code)] = [
        (.write, .noSpace), (.write, .device), (.synchronize, .device), (.synchronizeVolume, .device),
        (.synchronizeDirectory, .device), (.open, .device), (.rename, .device),
        (.remove, .device), (.truncate, .device), (.createDirectory, .noSpace), (.commit, .noSpace), (.commit, .device),
        (.read, .device), (.list, .device), (.examine, .device),
    ]

    @Test(arguments: faults)
    func theNthCallFails(operation: SimulatedOperation, code: MachineError.Code) throws {
        for number in 1...(try calls(of: [operation])) {
            let end = LogSimulation.End.allCases[number % 3]
            try judge("\(operation) \(number) fails with \(code)", seed: UInt64(number), end: end) {
                $0.arm(SimulatedFault(code, at: [operation], .call(number)))
            }
        }
    }

    @Test(arguments: faults)
    func everyCallFailsFromTheNthOn(operation: SimulatedOperation, code: MachineError.Code) throws {
        for number in stride(from: 1, through: try calls(of: [operation]), by: 6) {
            try judge("\(operation) fails with \(code) from \(number) on", seed: UInt64(number), end: .powerCut) {
                $0.arm(SimulatedFault(code, at: [operation], .from(number)))
            }
        }
    }

    @Test func theProcessEndsInTheNthOperation() throws {
        for number in 1...(try calls()) {
            let end = number % 4 == 0 ? LogSimulation.End.crash : .powerCut
            try judge("the end came in operation \(number)", seed: UInt64(number), end: end) {
                $0.simulated.stop(atOperation: number)
            }
        }
    }
}
