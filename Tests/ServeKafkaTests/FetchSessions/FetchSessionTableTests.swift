import MillraceTesting
import SimulatedMachine
import Testing

@testable import ServeKafka

@Suite struct FetchSessionTableTests {
    private static let twoMinutes: Int64 = 120_000

    /// Tries to add a session named by its id.
    private func add(
        _ id: Int32, _ partitions: Int, at now: Int64, to table: inout FetchSessionTable<Int32>
    ) -> Bool {
        guard table.makeRoom(forPartitions: partitions, now: now).hasRoom else { return false }
        table.insert(id, id: id, partitions: partitions, now: now)
        return true
    }

    private func ids(_ table: FetchSessionTable<Int32>) -> [Int32] { (1...20).filter { table[$0] != nil } }

    @Test func aFullTableRefusesWhileItsSessionsAreYoung() {
        var table = FetchSessionTable<Int32>(maximumSessions: 2, maximumPartitions: 1_000)
        #expect(add(1, 5, at: 0, to: &table) && add(2, 5, at: 10, to: &table))
        #expect(!add(3, 900, at: 20, to: &table))
        #expect(!add(3, 900, at: Self.twoMinutes, to: &table))
        #expect(ids(table) == [1, 2] && table.partitions == 10)
    }

    @Test func whoWasNotUsedForTwoMinutesMakesRoomForAnybody() {
        var table = FetchSessionTable<Int32>(maximumSessions: 2, maximumPartitions: 1_000)
        #expect(add(1, 500, at: 0, to: &table) && add(2, 5, at: 0, to: &table))
        _ = table.touch(1, partitions: 500, now: 50)
        #expect(add(3, 1, at: Self.twoMinutes + 1, to: &table))
        #expect(ids(table) == [1, 3] && table.partitions == 501)
        #expect(!add(4, 1, at: Self.twoMinutes + 50, to: &table))
        #expect(add(4, 1, at: Self.twoMinutes + 51, to: &table))
        #expect(ids(table) == [3, 4])
    }

    @Test func whoIsOldMakesRoomForALargerOne() {
        var table = FetchSessionTable<Int32>(maximumSessions: 3, maximumPartitions: 1_000)
        #expect(add(1, 50, at: 0, to: &table) && add(2, 20, at: 0, to: &table))
        let later = Self.twoMinutes + 1
        #expect(add(3, 2, at: later, to: &table))
        // Both have come back after two minutes; the third is small, but young.
        for id: Int32 in [1, 2] { _ = table.touch(id, partitions: id == 1 ? 50 : 20, now: later) }
        #expect(!add(4, 20, at: later, to: &table))
        #expect(add(4, 21, at: later, to: &table))
        #expect(ids(table) == [1, 3, 4])
        #expect(!add(5, 50, at: later, to: &table))
        #expect(add(5, 51, at: later, to: &table))
        #expect(ids(table) == [3, 4, 5] && table.partitions == 74)
    }

    @Test func partitionsAreBoundedTogether() {
        var table = FetchSessionTable<Int32>(maximumSessions: 10, maximumPartitions: 100)
        #expect(add(1, 60, at: 0, to: &table) && add(2, 40, at: 0, to: &table))
        #expect(!add(3, 1, at: 1, to: &table))
        // One that grows is closed.
        let grown = table.touch(2, partitions: 41, now: 1)
        #expect(!grown.fits && ids(table) == [1] && table.partitions == 60)
        // Unless others make room.
        #expect(add(3, 40, at: 100, to: &table))
        let later = table.touch(3, partitions: 90, now: Self.twoMinutes + 1)
        #expect(later.fits && later.evicted == 1 && ids(table) == [3] && table.partitions == 90)
        #expect(!add(4, 101, at: Self.twoMinutes * 4, to: &table))
    }

    @Test func noSlotsMeanNoSessions() {
        var table = FetchSessionTable<Int32>(maximumSessions: 0, maximumPartitions: 100)
        #expect(!add(1, 1, at: 0, to: &table))
    }

    /// The shortcuts of a full table hide nobody who would have to go.
    @Test(arguments: SimulationSeeds.chosen(50))
    func aFullTableFindsWhoMustGo(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var table = FetchSessionTable<Int32>(maximumSessions: 6, maximumPartitions: 10_000)
        var model: [Int32: (created: Int64, used: Int64, size: Int)] = [:]
        var now: Int64 = 0
        for id: Int32 in 1...400 {
            now += .random(in: 0...40_000, using: &random)
            for known in model.keys.sorted() where Int.random(in: 0..<3, using: &random) == 0 {
                let size = Int.random(in: 1...30, using: &random)
                _ = table.touch(known, partitions: size, now: now)
                model[known] = model[known].map { ($0.created, now, size) }
            }
            let size = Int.random(in: 1...30, using: &random)
            if model.count == 6 {
                let stale = model.filter { now - $0.value.used > Self.twoMinutes }.map(\.value.used).min()
                let mature = model.filter { $0.value.used - $0.value.created > Self.twoMinutes }
                let smallest = mature.map(\.value.size).min() ?? .max
                let isAdded = add(id, size, at: now, to: &table)
                #expect(isAdded == (stale != nil || size > smallest), "seed \(seed), step \(id)")
                let gone = model.keys.filter { table[$0] == nil }
                #expect(gone.count == (isAdded ? 1 : 0))
                if let gone = gone.first.flatMap({ model[$0] }) {
                    #expect(stale.map { gone.used == $0 } ?? (gone.size == smallest))
                }
                for id in gone { model[id] = nil }
                if isAdded { model[id] = (now, now, size) }
            } else {
                #expect(add(id, size, at: now, to: &table))
                model[id] = (now, now, size)
            }
            #expect(table.partitions == model.values.reduce(0) { $0 + $1.size })
        }
    }
}
