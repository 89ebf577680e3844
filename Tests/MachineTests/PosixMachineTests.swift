import Glibc
import Machine
import MillraceTesting
import Testing

@Suite struct PosixMachineTests {
    @Test func clocksAgreeWithTheSystem() {
        let clock = Machine.posix().clock
        let before = time(nil)
        let wall = clock.wallMilliseconds()
        #expect(wall / 1000 >= before && wall / 1000 <= before + 5)
        let first = clock.monotonicNanoseconds()
        usleep(2000)
        let passed = clock.monotonicNanoseconds() - first
        #expect(passed >= 2_000_000 && passed < 5_000_000_000)
    }

    @Test func randomNumbersDiffer() {
        let randomness = Machine.posix().randomness
        #expect(Set((0..<100).map { _ in randomness.next() }).count == 100)
    }

    @Test func errorsSayWhatFailedWhereAndWhy() throws {
        let error = #expect(throws: MachineError.self) {
            _ = try Machine.posix().files.open("/nowhere/file", .read)
        }
        #expect(error?.description == "cannot open /nowhere/file: No such file or directory (errno 2)")
    }

    @Test func aFullDeviceIsReported() throws {
        let full = try Machine.posix().files.open("/dev/full", .readWrite)
        let error = #expect(throws: MachineError.self) { try full.write("abc", at: 0) }
        #expect(error?.code == .noSpace && error?.operation == "write")
    }

    @Test func preallocationReservesSpace() throws {
        let directory = try TemporaryDirectory("files")
        let file = try Machine.posix().files.open(directory.path + "/a", .create)
        file.preallocate(to: 1 << 20)
        var status = stat()
        try #require(fstat(try #require(file.descriptor), &status) == 0)
        #expect(status.st_size == 0 && status.st_blocks * 512 >= 1 << 20)
    }

    @Test func removalDoesNotFollowSymbolicLinks() throws {
        let directory = try TemporaryDirectory("files")
        let files = Machine.posix().files
        try files.createDirectory(directory.path + "/kept")
        _ = try files.open(directory.path + "/kept/a", .create)
        try files.createDirectory(directory.path + "/gone")
        try #require(symlink(directory.path + "/kept", directory.path + "/gone/link") == 0)
        try files.remove(directory.path + "/gone")
        #expect(try files.contents(ofDirectory: directory.path) == ["kept"])
        #expect(try files.contents(ofDirectory: directory.path + "/kept") == ["a"])
    }

    @Test func everyErrnoHasACode() {
        let codes: [(Int32, MachineError.Code)] = [
            (ENOENT, .notFound), (EEXIST, .exists), (ENOSPC, .noSpace), (EDQUOT, .noSpace), (EIO, .device),
            (EMFILE, .tooManyFiles), (ENFILE, .tooManyFiles), (EACCES, .denied), (EROFS, .denied), (EINVAL, .other),
        ]
        for (number, code) in codes { #expect(MachineError.Code(errorNumber: number) == code) }
    }
}
