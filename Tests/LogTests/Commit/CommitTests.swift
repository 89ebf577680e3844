import Instruments
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Synchronization
import Testing

@testable import Log

@Suite struct CommitTests {
    @Test func aLoneWriterNeverWaits() {
        var window = CommitWindow()
        for round in 0..<5 as Range<UInt64> {
            window.arrive(now: round * 1_000_000)
            #expect(window.decide(now: round * 1_000_000) == .start)
            #expect(window.take() == 1)
            window.finish(committed: 1)
        }
    }

    @Test func aRoundWaitsForNearlyAllThatAreInFlight() {
        var window = CommitWindow()
        for _ in 0..<160 { window.arrive(now: 0) }
        _ = window.take()
        window.finish(committed: 160)
        #expect(window.target == 144)
        window.arrive(now: 1_000)
        #expect(window.decide(now: 1_000) == .wait(nanoseconds: CommitWindow.quietNanoseconds))
        for _ in 0..<80 { window.arrive(now: 2_000) }
        #expect(window.decide(now: 151_000) == .wait(nanoseconds: CommitWindow.quietNanoseconds))
        for _ in 0..<63 { window.arrive(now: 160_000) }
        #expect(window.decide(now: 160_000) == .start)
    }

    /// 160 clients that each send again when they are answered. Their answers and requests take two busy cores 6 µs
    /// each; a sync takes 100 µs, so most are still on their way when it is over.
    @Test func whoIsOnTheWayBackCounts() {
        var window = CommitWindow()
        var now: UInt64 = 0
        var arrivals = [UInt64](repeating: 0, count: 160)
        func arrive(before end: UInt64) {
            while let first = arrivals.first, first <= end, window.waiting < window.target || end == now {
                window.arrive(now: first)
                arrivals.removeFirst()
                now = max(now, first)
            }
        }
        var committed: [Int] = []
        while committed.count < 200 {
            arrive(before: now)
            guard window.waiting > 0 else {
                now = arrivals[0]
                continue
            }
            if case .wait(let nanoseconds) = window.decide(now: now) {
                let end = now + nanoseconds
                arrive(before: end)
                if window.waiting < window.target { now = end }
                continue
            }
            committed.append(window.take())
            now += 100_000
            let busyUntil = max(now, arrivals.last ?? 0)
            arrive(before: now)
            window.finish(committed: committed[committed.count - 1])
            arrivals += (1...UInt64(committed[committed.count - 1])).map { busyUntil + $0 * 6_000 }
        }
        let settled = committed.dropFirst(20)
        #expect(settled.reduce(0, +) / settled.count >= 64, "\(settled)")
    }

    @Test func aRoundStartsWhenArrivalsPauseOrTheBoundIsReached() {
        var window = CommitWindow()
        for _ in 0..<160 { window.arrive(now: 0) }
        _ = window.take()
        window.finish(committed: 160)
        window.arrive(now: 0)
        #expect(window.decide(now: 0) != .start)
        #expect(window.decide(now: 150_000) == .start, "nobody came")
        _ = window.take()
        window.finish(committed: 1)
        for round in 1...4 as ClosedRange<UInt64> {
            window.arrive(now: round * 1_000_000)
            _ = window.decide(now: round * 1_000_000)
            #expect(window.decide(now: round * 1_000_000 + 150_000) == .start)
            _ = window.take()
            window.finish(committed: 1)
        }
        #expect(window.inFlight < 50, "and the estimate follows")
        for _ in 0..<200 { window.arrive(now: 0) }
        _ = window.take()
        window.finish(committed: 200)
        for step in 0..<20 as Range<UInt64> {
            window.arrive(now: step * 140_000)
            if window.decide(now: step * 140_000) == .start {
                #expect(step == 15, "2 ms are the bound")
                return
            }
        }
        Issue.record("it never started")
    }

    @Test func theCheaperSyncIsChosen() {
        var choice = SyncChoice()
        let choices = [1, 3, 10, 1_000].map { choice.usesVolume(for: $0) }
        #expect(choices == [false, false, true, true])
        // Another program writes much: syncfs takes a second.
        choice.note(volume: 1_000_000_000, files: 10)
        let isChosenNow = choice.usesVolume(for: 10)
        #expect(!isChosenNow)
        var rounds = 0
        while !choice.usesVolume(for: 10) {
            choice.note(files: UInt64(SyncChoice.modelOfFiles(10)), files: 10)
            rounds += 1
        }
        #expect(rounds > 100 && rounds < 1_000, "it is tried again after a while")
    }

    /// The kernel tells of a failure once. Whoever creates the sync journal may be the one who hears of it.
    @Test func aFailedSyncOfTheVolumeIsRememberedByAll() throws {
        for seed in 0..<40 as Range<UInt64> {
            let site = Site(seed: seed)
            var settings = LogSettings()
            settings.journalBytes = 64 << 10
            settings.journalMinimumPartitions = 8
            let log = try site.open(settings)
            let partitions = try log.createTopic("t", partitions: 8, configs: [:]).partitions
            for partition in partitions { try partition.append(batch(["a"]), .now) }
            log.flushDirty()
            for partition in partitions { try partition.append(batch(["b"]), .now) }
            site.simulation.inject(SimulatedFault(.device, at: [.synchronizeVolume], .call(1)))
            log.flushDirty()
            #expect(log.journalRounds == 0 && log.flusher.volume.isInDoubt)
            let calls = site.simulation.calls(of: .synchronizeVolume)
            #expect(throws: MachineError.self) { try log.flusher.volume.synchronize() }
            #expect(site.simulation.calls(of: .synchronizeVolume) == calls)
            let promised = partitions.map(\.highWatermark)
            #expect(promised.contains(2))
            site.simulation.cutPower()
            let same = try #require(try site.open(settings).topic(named: "t")).partitions
            for (partition, promised) in zip(same, promised) {
                #expect(try partition.allValues().count >= promised && partition.fenceReason == nil)
            }
        }
    }

    @Test func threadsAppendAndEveryWaiterIsCalledOnce() throws {
        let directory = try TemporaryDirectory("commit")
        let log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: .posix(), metadata: InMemoryMetadataStore())
        log.start()
        let topic = try log.createTopic("t", partitions: 7, configs: [:])
        let done = Monitor(0)
        let threads = (0..<8).map { thread in
            WorkerThread(named: "writer") {
                for number in 0..<200 {
                    let partition = topic.partitions[(thread + number) % 7]
                    let bell = CountingWaiter(done)
                    let durability: Durability = number % 5 == 0 ? .flushInterval : .now
                    guard var bytes = try? batch(["\(thread).\(number)"]),
                        let result = try? bytes.withUnsafeMutableBytes({
                            try partition.append($0, durability: durability)
                        })
                    else { return }
                    if !partition.notifyWhenSynced(upTo: result.endOffset, bell) { bell.synced(nil) }
                }
            }
        }
        for thread in threads { thread.join() }
        let all = done.wait(timeoutNanoseconds: 20_000_000_000) { $0 >= 1_600 ? $0 : nil }
        #expect(all == 1_600)
        #expect(topic.partitions.reduce(0) { $0 + $1.highWatermark } == 1_600)
        #expect(log.syncRounds > 0 && log.syncLatency.count > 0 && log.fencedPartitions == 0)
        log.close()
        #expect(done.withLock { $0 } == 1_600)
        let values = topic.partitions.reduce(0) { $0 + $1.logEndOffset }
        #expect(values == 1_600)
    }

    @Test func whatNobodyWaitsForIsSyncedWithinItsTime() throws {
        let directory = try TemporaryDirectory("commit")
        let log = try CommitLog.open(
            directory: directory.path, settings: LogSettings(), machine: .posix(), metadata: InMemoryMetadataStore())
        log.start()
        defer { log.close() }
        let topic = try log.createTopic("t", partitions: 1, configs: ["flush.ms": "20"])
        let done = Monitor(0)
        try topic.partitions[0].append(batch(["a"]), .none)
        if try topic.partitions[0].notifyWhenReadable(beyond: 0, CountingWaiter(done)) != nil {
            #expect(done.wait(timeoutNanoseconds: 10_000_000_000) { $0 > 0 ? true : nil } == true)
        }
        #expect(topic.partitions[0].highWatermark == 1)
    }

    @Test func aPartitionStandsInEachListOnce() throws {
        let (log, partition) = try Site().openWithTopic()
        for _ in 0..<100 {
            try partition.append(batch(["a"]), .flushInterval)
            try partition.append(batch(["b"]), .now)
            #expect(log.dirtyPartitions <= 2)
        }
        log.flushDirty()
        #expect(log.dirtyPartitions == 0 && partition.highWatermark == 200)
    }
}

private final class CountingWaiter: SyncWaiter, ReadWaiter {
    private let counter: Monitor<Int>

    init(_ counter: Monitor<Int>) { self.counter = counter }

    func synced(_ error: LogError?) {
        counter.withLock { $0 += error == nil ? 1 : 1_000_000 }
        counter.wake()
    }

    func readable() { synced(nil) }
}
