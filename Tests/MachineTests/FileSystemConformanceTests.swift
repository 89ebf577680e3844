import Machine
import MillraceTesting
import SimulatedMachine
import Testing

@Suite struct FileSystemConformanceTests {
    @Test(arguments: FileSystemConformance.Check.allCases)
    func posix(check: FileSystemConformance.Check) throws {
        let directory = try TemporaryDirectory("files")
        try FileSystemConformance(Machine.posix().files, directory: directory.path).run(check)
    }

    @Test(arguments: FileSystemConformance.Check.allCases)
    func simulated(check: FileSystemConformance.Check) throws {
        let files = SimulatedMachine(seed: 1).machine.files
        try files.createDirectory("/data")
        try FileSystemConformance(files, directory: "/data").run(check)
    }
}
