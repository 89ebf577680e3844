import KafkaWire
import Machine
import MillraceTesting
import Testing

@testable import Groups
@testable import Log

/// The scripts in `Scripts`, each the life of a group.
///
/// With a file `Tests/GroupsTests/Scripts/rewrite` the test rewrites their output: then delete it and review the
/// difference.
@Suite struct GroupScriptTests {
    private static let files = Machine.posix().files
    private static let directory =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/Scripts/"

    @Test(arguments: [
        "join", "rebalance", "static", "sync", "leave", "time", "commit", "bounds", "restart",
    ])
    func goesAsWritten(name: String) throws {
        let path = Self.directory + name + ".script"
        let bytes = try #require(try WholeFile.read(path, Self.files), "\(path) is missing")
        let written = String(decoding: bytes, as: UTF8.self)
        let came = GroupScript.run(written)
        if try WholeFile.read(Self.directory + "rewrite", Self.files) != nil {
            let file = try Self.files.open(path, .replace)
            try Array(came.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        }
        for (number, (was, now)) in zip(
            written.split(separator: "\n", omittingEmptySubsequences: false),
            came.split(separator: "\n", omittingEmptySubsequences: false)
        ).enumerated() where was != now {
            Issue.record("\(name).script:\(number + 1):\nwritten \(was)\ncame    \(now)")
            return
        }
        #expect(written == came)
    }

    @Test func everyScriptIsRun() throws {
        let names = try Self.files.contents(ofDirectory: Self.directory).filter { $0 != "rewrite" }
        #expect(names.count == 9)
    }
}
