import Machine
import MillraceTesting
import SimulatedMachine
import Testing

/// Random lives of a log under faults, crashes and power cuts. `MILLRACE_SEED=n` replays one, `MILLRACE_ROUNDS=n` runs
/// more.
@Suite struct LogSimulationTests {
    private static let steps = 400

    @Test func promisesHoldForEverySeed() throws {
        var rounds: UInt64 = 0
        var backups = 0
        let seeds = SimulationSeeds.chosen(20)
        for seed in seeds {
            let simulation = try LogSimulation(seed: seed)
            do {
                try simulation.run(steps: Self.steps)
                rounds += simulation.journalRounds
                backups += simulation.checkedBackups
            } catch {
                let last = simulation.steps.suffix(40).joined(separator: "\n  ")
                Issue.record("MILLRACE_SEED=\(seed), step \(simulation.steps.count): \(error)\nafter\n  \(last)")
                return
            }
        }
        #expect(seeds.count < 4 || rounds > 5 * UInt64(seeds.count), "too few rounds went through the sync journal")
        #expect(seeds.count < 4 || backups > seeds.count / 2, "too few backups were restored: \(backups)")
    }

    /// STYLE 8: a seed twice gives the same steps, the same final clock and the same next random number.
    @Test func aSeedRepeats() throws {
        func life() throws -> ([String], UInt64, UInt64) {
            let simulation = try LogSimulation(seed: 7)
            try simulation.run(steps: Self.steps)
            let machine = simulation.simulated.machine
            return (simulation.steps, machine.clock.monotonicNanoseconds(), machine.randomness.next())
        }
        let first = try life()
        let second = try life()
        #expect(first == second)
    }
}
