import ArgumentParser
import Bytes
import Log
import NIOCore

/// `millrace logs import`: sends the lines of files.
struct LogsImportCommand: InterruptibleCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Send each line of files as a log line.",
        discussion: """
            Files of gzip and zstd are unpacked. The time in front of a line (2026-11-21 22:03:04.567, RFC 3339) is the \
            line's time; a line without one has that of the line before it. Each file is a stream of its own: its path \
            is the label filename.

            If it stops half-way it says where to go on: --from-line. Lines with a time of their own that are sent twice \
            are there once.

            Examples:
              millrace logs import /var/log/*.log --label host=$(hostname)
              millrace logs import old.log.zst --label app=shop --no-filename
            """)

    /// The most that a packed file may hold: it is unpacked in memory.
    private static let maximumUnpackedBytes = 1 << 30

    @Argument(help: "Files to read; - is STDIN.", completion: .file())
    var files: [String]

    @Option(
        name: [.long, .customShort("l")],
        help: ArgumentHelp("A label of all lines; may be repeated.", valueName: "name=value"))
    var label: [NamedValue] = []

    @Flag(inversion: .prefixedNo, help: "Make the file's path the label filename.")
    var filename = true

    @Flag(inversion: .prefixedNo, help: "Take the time in front of a line for the line's time.")
    var timestamps = true

    @Option(help: ArgumentHelp("Begins at this line of the first file.", valueName: "number"))
    var fromLine = 1

    @OptionGroup var target: LogsTargetOptions

    func validate() throws {
        try LogsStream.check(label)
        if fromLine < 1 { throw ValidationError("--from-line counts from 1") }
    }

    func run() async throws {
        var pushing = LogsPushing(target: target, giveUpAfterMilliseconds: target.server.timeout.milliseconds)
        for (index, file) in files.enumerated() where !Interruption.happened {
            try await send(file, fromLine: index == 0 ? fromLine : 1, &pushing)
        }
        try pushing.finish()
    }

    private func send(_ file: String, fromLine: Int, _ pushing: inout LogsPushing) async throws {
        let input = try Input(file)
        var labels = label
        if filename, file != "-" { labels.append(NamedValue(name: "filename", value: file)) }
        var batch = LogsBatch(
            labels: labels.isEmpty ? LogsStream.defaultLabels : labels, readsTimes: timestamps)
        // The line that the batch begins with.
        var (lines, number, first) = (LineSplitter(), 0, fromLine)
        var chunk = try await input.read()
        if let codec = chunk.flatMap(Self.codec), let start = chunk {
            chunk = try unpack(start + (try await input.readAll()), codec, file)
        }
        do {
            while !Interruption.happened, let bytes = chunk {
                for line in try lines.split(bytes) {
                    number += 1
                    guard number >= fromLine else { continue }
                    batch.add(line, now: LogsBatch.now)
                    guard batch.isFull else { continue }
                    try await pushing.send(&batch, place: "\(file): lines \(first) to \(number)")
                    first = number + 1
                }
                chunk = try await input.read()
            }
            if !Interruption.happened, let rest = lines.rest, number + 1 >= fromLine {
                batch.add(rest, now: LogsBatch.now)
            }
            try await pushing.send(&batch, place: "\(file): lines from \(first)")
        } catch let failure as CommandFailure {
            throw CommandFailure(
                message: "\(file): \(failure.message)",
                advice: "everything before is written; go on with --from-line \(first) of \(file)",
                status: failure.status)
        }
        guard Interruption.happened else { return }
        StandardError.write("interrupted: go on with --from-line \(number + 1) of \(file)\n")
    }

    private static func codec(_ bytes: [UInt8]) -> Compression? {
        if bytes.starts(with: [0x1F, 0x8B]) { return .gzip }
        return bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) ? .zstd : nil
    }

    private func unpack(_ packed: [UInt8], _ codec: Compression, _ file: String) throws -> [UInt8] {
        var writer = ByteWriter(capacity: packed.count * 4)
        do throws(BytesError) {
            try packed.withBytes { bytes throws(BytesError) in
                try codec.decompress(bytes, limit: Self.maximumUnpackedBytes, into: &writer)
            }
        } catch {
            throw CommandFailure(
                message: "cannot unpack \(file): \(error)",
                advice: "more than 1 GiB is unpacked outside: zcat \(file) | millrace logs import -")
        }
        return writer.array()
    }
}
