import ArgumentParser
import Machine
import Series

/// `millrace series export`: blocks as lines.
struct SeriesExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print the points of blocks as line protocol.",
        discussion: """
            Times are in nanoseconds. Older blocks come first, so that what was written last wins when the lines are \
            imported again. Points that were deleted stay in a block until it is compacted, and are printed. Points of the \
            last minutes may be in the log alone, and are not.
            """)

    @OptionGroup var blocks: BlockFiles

    @Option(help: "Only points of this retention policy.")
    var policy: String?

    func run() async throws {
        let files = Machine.posix().files
        var opened: [Block] = []
        for path in try blocks.find(files) {
            switch try BlockFiles.open(path, files) {
            case (_, .success(let block)): opened.append(block)
            case (_, .failure(let error)): throw Self.failure(error)
            }
        }
        opened.removeAll { block in policy.map { Array($0.utf8) != block.details.retentionPolicy } ?? false }
        opened.sort { $0.details.lastCut < $1.details.lastCut }
        let output = Output()
        for block in opened { try Self.export(block, to: output) }
        try output.flush()
    }

    private static func export(_ block: Block, to output: Output) throws {
        var failure: (any Error)?
        do throws(SeriesError) {
            try BlockExport.lines(of: block) { lines in
                do { try output.write { $0.append(contentsOf: lines) } } catch { failure = error }
                return failure == nil
            }
        } catch {
            throw Self.failure(error)
        }
        if let failure { throw failure }
    }

    private static func failure(_ error: SeriesError) -> CommandFailure {
        CommandFailure(
            message: error.message, advice: "`millrace series check` tells all that is damaged",
            status: error.code == .damaged ? ExitStatus.damaged : ExitStatus.failed)
    }
}
