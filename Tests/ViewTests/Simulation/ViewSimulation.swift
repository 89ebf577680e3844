import Log
import Machine
import SimulatedMachine
import Synchronization

@testable import View

/// A promise was broken.
struct SimulationFailure: Error, CustomStringConvertible {
    let description: String
}

/// A random life of a log with a view, with a model of what the view must show: at every moment exactly what the
/// records that it says are applied make, whatever crashed before.
final class ViewSimulation {
    private enum Operation: Equatable {
        case write(String)
        case delete(String)
    }

    let bench: ViewBench
    private var chance: SeededGenerator
    /// What was appended, by offset.
    private var history: [Int64: Operation] = [:]
    private(set) var steps: [String] = []
    private var isTroubled = false
    private(set) var restarts = 0
    /// Manifests that were committed and seen.
    var commits: Int64 { bench.view.core.withLock { $0.state.manifest.version } }
    private(set) var compactions = 0

    private static let values = ["a", "b", "c", "d", "bad"]

    init(seed: UInt64) throws {
        var settings = ViewSettings()
        settings.cutBytes = 400
        settings.readBytes = 150
        settings.compactionMilliseconds = 20
        settings.retryMilliseconds = 10
        settings.holdBytes = 6_000
        bench = try ViewBench(
            seed: seed, settings: settings,
            configs: ["segment.bytes": "500", "retention.ms": "50", "index.interval.bytes": "100", "flush.ms": "0"])
        chance = SeededGenerator(seed: ~seed)
    }

    func run(steps count: Int) throws {
        for _ in 0..<count {
            try step()
            if bench.simulated.isStopped { try restart(chance.coin()) }
            try check()
        }
        calm()
        try restart(true)
        bench.simulated.advance(milliseconds: 1_000)
        bench.settle()
        try expect(bench.view.applied == bench.partition.highWatermark, "the view did not catch up")
        try check()
    }

    private func step() throws {
        switch chance.upTo(99) {
        case 0..<20: try append()
        case 20..<26: try delete()
        case 26..<38: act("flush") { bench.flush() }
        case 38..<60: act("apply") { apply() }
        case 60..<78: background()
        case 78..<82: act("settle") { bench.settle() }
        case 82..<85: act("retention") { bench.log.enforceRetention() }
        case 85: act("checkpoint") { bench.log.checkpoint() }
        case 86: act("cut") { bench.view.cutSoon() }
        case 87: act("delete records") { _ = bench.log.deleteRecords([(bench.partition, -1)]) }
        case 88: if chance.coin() { act("pause") { bench.view.pause() } }
        case 89, 90: act("resume") { bench.view.resume() }
        case 91: try restart(true)
        case 92: try restart(false)
        case 93..<96:
            let count = 1 + chance.upTo(40)
            act("stop at operation \(count)") { bench.simulated.stop(atOperation: count) }
        case 96: arm()
        case 97: act("calm") { calm() }
        default:
            let milliseconds = Int64(chance.upTo(200))
            act("\(milliseconds) ms") { bench.simulated.advance(milliseconds: milliseconds) }
        }
    }

    private func act(_ what: String, _ body: () -> Void) {
        steps.append(what)
        body()
    }

    private func append() throws {
        let values = (0...chance.upTo(3)).map { _ in Self.values[chance.upTo(Self.values.count - 1)] }
        steps.append("append \(values)")
        try appending {
            let result = try bench.append(values)
            for (index, value) in values.enumerated() { history[result.baseOffset + Int64(index)] = .write(value) }
        }
    }

    private func delete() throws {
        let value = Self.values[chance.upTo(3)]
        steps.append("delete \(value)")
        try appending {
            let result = try bench.partition.appendControl(
                key: ControlRecord.key, value: Array(value.utf8), durability: .now)
            history[result.baseOffset] = .delete(value)
        }
    }

    private func appending(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as LogError {
            let isExpected = error.code == .viewBehind || bench.simulated.isStopped || bench.simulated.isStopping
            try expect(isExpected, "an append failed: \(error)")
        }
    }

    private func apply() {
        var buffer = ReadBuffer()
        _ = bench.view.stepApplying(&buffer)
    }

    private func background() {
        steps.append("background")
        _ = bench.view.stepBackground()
        if bench.engine.blockCount == 1 { compactions += 1 }
    }

    private func arm() {
        let operations: [[SimulatedOperation]] = [
            [.write], [.synchronize], [.open], [.link], [.remove], [.synchronizeDirectory], [.map], [.list],
        ]
        let chosen = operations[chance.upTo(operations.count - 1)]
        let code: MachineError.Code = chance.coin() ? .noSpace : .device
        steps.append("arm \(code) at \(chosen)")
        bench.simulated.inject(
            SimulatedFault(code, at: Set(chosen), path: "/views/", .probability(chance.coin() ? 0.5 : 0.1)))
        isTroubled = true
    }

    private func calm() {
        bench.simulated.clearFaults()
        isTroubled = false
    }

    private func restart(_ powerCut: Bool) throws {
        steps.append(powerCut ? "power cut" : "crash")
        calm()
        restarts += 1
        try bench.restart(powerCut: powerCut)
        bench.flush()
        try learn()
        let start = bench.partition.logStartOffset
        try expect(bench.view.skipGap() == nil, "the log begins at \(start), after the view's end")
    }

    /// What was not synced may be gone, and its offsets be given out again; what was refused may be there after all.
    private func learn() throws {
        let (start, end) = (bench.partition.logStartOffset, bench.partition.logEndOffset)
        history = history.filter { $0.key < end }
        try expect(bench.partition.highWatermark == end, "the log was not synced")
        for (offset, found) in try bench.content(from: start, to: end) {
            let operation = found.isControl ? Operation.delete(found.value) : .write(found.value)
            try expect(history[offset].map { $0 == operation } ?? true, "another record at \(offset)")
            history[offset] = operation
        }
    }

    /// The view shows what the applied records make, and the log has what it may yet need.
    func check() throws {
        let applied = bench.view.applied
        var expected: [RecordEngine.Entry] = []
        for offset in history.keys.sorted() where offset < applied {
            switch history[offset] {
            case .write(let value) where value != "bad": expected.append(.init(offset: offset, value: value))
            case .delete(let value): expected.removeAll { $0.value == value }
            default: break
            }
        }
        let visible = bench.engine.visible
        try expect(visible == expected, "at \(applied) the view shows\n  \(visible)\ninstead of\n  \(expected)")
        let (start, covered) = (bench.partition.logStartOffset, bench.view.covered)
        try expect(start <= covered, "the log begins at \(start), and the view needs it from \(covered) on")
    }

    private func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
        guard !condition else { return }
        throw SimulationFailure(description: message())
    }

    /// The end of a life, to compare two of the same seed.
    var fingerprint: [String] {
        let machine = bench.simulated.machine
        return ["\(machine.clock.monotonicNanoseconds())", "\(machine.randomness.next())", "\(bench.engine.visible)"]
    }
}
