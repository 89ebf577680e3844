import ArgumentParser
import NIOCore
import Telemetry

/// `millrace import`: writes files of line protocol into a database.
struct ImportCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Write files of line protocol into a database.",
        discussion: """
            Reads line protocol, or what `influx_inspect export` wrote (its CREATE statements are carried out, its \
            contexts say where the points go), from files or STDIN; files of gzip are unpacked. A line that cannot be \
            read is told with its file and number and left out; status 1 says that there were some.

            Each request is answered when its points are synced. If it stops half-way, give the same files again: a \
            point with a time of its own that is written twice is there once. --from-line goes on later in a file.

            Examples:
              millrace import points.lp --database metrics --precision s
              influx_inspect export -database metrics -out /dev/stdout | millrace import -
              zcat huge.lp.gz | millrace import - --database metrics
            """)

    @Argument(help: "Files to read; - is STDIN.", completion: .file())
    var files: [String] = ["-"]

    @Option(name: [.long, .customShort("d")], help: "The database; a file's own contexts win. Created if absent.")
    var database: String?

    @Option(name: .customLong("rp"), help: "The retention policy. Default: that of the database.")
    var retentionPolicy: String?

    @Option(help: "The unit of timestamps: ns, u, ms, s, m or h.")
    var precision: String = "ns"

    @Option(help: ArgumentHelp("Begins at this line of the first file.", valueName: "number"))
    var fromLine = 1

    @Flag(name: [.long, .customShort("q")], help: "Print nothing but errors.")
    var quiet = false

    @OptionGroup var server: ServerOptions

    func validate() throws {
        guard TimePrecision(name: precision) != nil else {
            throw ValidationError("--precision is ns, u, ms, s, m or h, not \(precision)")
        }
        if fromLine < 1 { throw ValidationError("--from-line counts from 1") }
    }

    func run() async throws {
        var importing = Importing(
            server: server, database: database, retentionPolicy: retentionPolicy,
            precision: TimePrecision(name: precision) ?? .nanoseconds, isQuiet: quiet)
        for (index, file) in files.enumerated() where !Interruption.happened {
            try await importing.read(file, fromLine: index == 0 ? fromLine : 1)
        }
        try importing.finish()
    }
}
