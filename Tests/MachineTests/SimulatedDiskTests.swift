import Machine
import MillraceTesting
import SimulatedMachine
import Testing

/// What a crash and a power cut keep.
@Suite struct SimulatedDiskTests {
    /// Runs a body on a fresh machine for each of 200 seeds, and collects what it returns.
    private func outcomes<Outcome: Hashable>(_ body: (SimulatedMachine) throws -> Outcome) rethrows -> Set<Outcome> {
        var outcomes: Set<Outcome> = []
        for seed: UInt64 in 0..<200 { outcomes.insert(try body(SimulatedMachine(seed: seed))) }
        return outcomes
    }

    /// A file `/a` whose name and whose content "durable!" are synced.
    private func durableFile(_ machine: SimulatedMachine) throws -> any File {
        let file = try machine.machine.files.open("/a", .create)
        try file.write("durable!", at: 0)
        try file.synchronize()
        try machine.machine.files.synchronizeDirectory("/")
        return file
    }

    @Test func syncedBytesAndNamesSurviveEveryPowerCut() throws {
        let outcomes = try outcomes { machine in
            _ = try durableFile(machine)
            machine.cutPower()
            return try machine.machine.files.open("/a", .read).text()
        }
        #expect(outcomes == ["durable!"])
    }

    @Test func unsyncedBytesAreKeptLostOrTornBySector() throws {
        let outcomes = try outcomes { machine in
            let file = try durableFile(machine)
            try file.write(String(repeating: "x", count: 1024), at: 0)
            machine.cutPower()
            let text = try machine.machine.files.open("/a", .read).text()
            return text.replacing(String(repeating: "x", count: 512), with: "X")
                .replacing(String(repeating: "\0", count: 512), with: "0")
        }
        // With a size that is durable or not, and each of two sectors written or not.
        #expect(outcomes.contains("durable!"), "lost")
        #expect(outcomes.contains("XX"), "kept")
        #expect(outcomes.contains("X0") && outcomes.contains { $0.hasPrefix("durable!") && $0.hasSuffix("X") }, "torn")
        #expect(outcomes.contains("xxxxxxxx"), "the bytes without the size")
    }

    @Test func aSectorShowsAMomentOfTheCache() throws {
        let outcomes = try outcomes { machine in
            let file = try durableFile(machine)
            try file.write("12", at: 0)
            try file.write("34", at: 1)
            machine.cutPower()
            return try machine.machine.files.open("/a", .read).text()
        }
        #expect(outcomes == ["durable!", "12rable!", "134able!"])
    }

    @Test func aCutFileIsCutOrNot() throws {
        let outcomes = try outcomes { machine in
            let file = try durableFile(machine)
            try file.truncate(to: 3)
            try file.truncate(to: 5)
            machine.cutPower()
            return try machine.machine.files.open("/a", .read).text()
        }
        #expect(outcomes == ["durable!", "dur", "dur\0\0"])
    }

    @Test func namesWithoutASyncedDirectoryAreKeptOrLost() throws {
        let outcomes = try outcomes { machine in
            let files = machine.machine.files
            let file = try files.open("/b", .create)
            try file.write("b", at: 0)
            try file.synchronize()
            _ = try files.open("/c", .create)
            machine.cutPower()
            return try machine.machine.files.contents(ofDirectory: "/")
        }
        #expect(outcomes == [[], ["b"], ["c"], ["b", "c"]])
    }

    @Test func aRenameIsWholeOrAbsent() throws {
        let outcomes = try outcomes { machine in
            _ = try durableFile(machine)
            let files = machine.machine.files
            try files.createDirectory("/d")
            try files.synchronizeDirectory("/")
            try files.rename("/a", to: "/d/b")
            machine.cutPower()
            return try machine.machine.files.contents(ofDirectory: "/")
                + machine.machine.files.contents(ofDirectory: "/d")
        }
        #expect(outcomes == [["a", "d"], ["d", "b"]])
    }

    @Test func aRemovalMayComeBack() throws {
        let outcomes = try outcomes { machine in
            _ = try durableFile(machine)
            try machine.machine.files.remove("/a")
            machine.cutPower()
            guard try machine.machine.files.information(at: "/a") != nil else { return "" }
            return try machine.machine.files.open("/a", .read).text()
        }
        #expect(outcomes == ["", "durable!"])
    }

    @Test func aSyncOfOneDirectorySyncsNoOther() throws {
        let outcomes = try outcomes { machine in
            let files = machine.machine.files
            try files.createDirectory("/d/e")
            _ = try files.open("/d/e/f", .create)
            try files.synchronizeDirectory("/d/e")
            machine.cutPower()
            return try machine.machine.files.information(at: "/d/e/f") != nil
        }
        #expect(outcomes == [true, false], "the entry is synced, the way to it is not")
    }

    @Test func aSyncOfTheVolumeSyncsEverything() throws {
        let outcomes = try outcomes { machine in
            let files = machine.machine.files
            try files.createDirectory("/d/e")
            try files.open("/d/e/f", .create).write("f", at: 0)
            try files.synchronizeVolume(holding: "/d")
            machine.cutPower()
            return try machine.machine.files.open("/d/e/f", .read).text()
        }
        #expect(outcomes == ["f"])
    }

    @Test func aCrashKeepsWrittenBytesAndFreesLocks() throws {
        let machine = SimulatedMachine(seed: 1)
        let old = machine.machine.files
        let file = try old.open("/a", .create)
        try file.write("written", at: 0)
        let lock = try old.lock("/lock")
        machine.crash()
        let new = machine.machine.files
        #expect(try new.open("/a", .read).text() == "written")
        let held = try new.lock("/lock")
        #expect(throws: MachineError.self) { try file.write("ghost", at: 0) }
        #expect(throws: MachineError.self) { try file.synchronize() }
        #expect(throws: MachineError.self) { try old.remove("/a") }
        lock.unlock()
        #expect(throws: MachineError.self, "the dead process cannot release it") { _ = try new.lock("/lock") }
        #expect(try new.open("/a", .read).text() == "written")
        held.unlock()
    }

    @Test func crashedWritesAreStillUnsynced() throws {
        let outcomes = try outcomes { machine in
            let file = try durableFile(machine)
            try file.write("written!", at: 0)
            machine.crash()
            machine.cutPower()
            return try machine.machine.files.open("/a", .read).text()
        }
        #expect(outcomes == ["durable!", "written!"])
    }
}
