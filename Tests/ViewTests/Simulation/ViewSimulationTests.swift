import Log
import MillraceTesting
import SimulatedMachine
import Testing

@testable import View

/// `MILLRACE_SEED=n` replays one life, `MILLRACE_ROUNDS=n` runs n of them from a random seed on.
@Suite struct ViewSimulationTests {
    @Test func nothingIsTwiceNothingIsMissingNothingDeletedComesBack() throws {
        for seed in SimulationSeeds.chosen(150) {
            let simulation = try ViewSimulation(seed: seed)
            do {
                try simulation.run(steps: 250)
            } catch {
                Issue.record(
                    """
                    MILLRACE_SEED=\(seed): \(error)
                    after
                      \(simulation.steps.suffix(25).joined(separator: "\n  "))
                    """)
                return
            }
        }
    }

    @Test func theLivesAreWorthLiving() throws {
        var (commits, restarts, compactions) = (Int64(0), 0, 0)
        for seed in 1...20 as ClosedRange<UInt64> {
            let simulation = try ViewSimulation(seed: seed)
            try simulation.run(steps: 250)
            commits += simulation.commits
            restarts += simulation.restarts
            compactions += simulation.compactions
        }
        #expect(commits > 150 && restarts > 100 && compactions > 100, "\(commits) \(restarts) \(compactions)")
    }

    @Test func theSameSeedLivesTheSameLife() throws {
        func life() throws -> [String] {
            let simulation = try ViewSimulation(seed: 4711)
            try simulation.run(steps: 300)
            return simulation.steps + simulation.fingerprint
        }
        #expect(try life() == life())
    }

    /// A fixed life, which ends in each of its operations in turn.
    @Test func theProcessEndsInTheNthOperation() throws {
        func live(_ bench: ViewBench) throws {
            for round in 0..<6 {
                try bench.append(["\(round)", "a"])
                if round % 4 == 3 {
                    _ = try bench.partition.appendControl(
                        key: ControlRecord.key, value: Array("a".utf8), durability: .now)
                }
                bench.flush()
                bench.settle()
            }
        }
        var settings = ViewSettings()
        settings.cutBytes = 200
        settings.compactionMilliseconds = 0
        settings.retryMilliseconds = 0
        let calm = try ViewBench(settings: settings)
        let before = calm.simulated.calls
        try live(calm)
        for number in 1...(calm.simulated.calls - before) {
            let bench = try ViewBench(seed: UInt64(number), settings: settings)
            bench.simulated.stop(atOperation: number)
            try? live(bench)
            try bench.restart(powerCut: number % 2 == 0)
            bench.settle()
            let shown = bench.engine.visible
            let numbers = shown.filter { $0.value != "a" }.map(\.value)
            #expect(numbers == (0..<numbers.count).map(String.init), "operation \(number): \(shown)")
            #expect(Set(shown.map(\.offset)).count == shown.count, "operation \(number)")
            // Every fourth round ends with a deletion, at offset 8.
            let deleted = (bench.view.applied / 9) * 9
            let alive = shown.filter { $0.value == "a" && $0.offset < deleted }
            #expect(alive.isEmpty, "operation \(number): \(shown)")
        }
    }
}
