import Bytes
import NIOCore
import NIOPosix
import Telemetry

/// An import on its way: reads files, sends portions, tells what was refused, shows how far it is.
struct Importing {
    /// The most that a file of gzip may hold: it is unpacked in memory.
    private static let maximumUnpackedBytes = 1 << 30
    /// Bad lines that are told one by one.
    private static let toldLines = 50
    /// Tries of one request while the server is busy, a second apart.
    private static let tries = 60

    private let server: ServerOptions
    private let database: String?
    private let retentionPolicy: String?
    private let precision: TimePrecision
    private let isQuiet: Bool
    private var progress: Progress
    private var created: Set<String> = []
    private var points = 0
    private var bytes = 0
    private var refused = 0

    init(
        server: ServerOptions, database: String?, retentionPolicy: String?, precision: TimePrecision, isQuiet: Bool
    ) {
        self.server = server
        self.database = database
        self.retentionPolicy = retentionPolicy
        self.precision = precision
        self.isQuiet = isQuiet
        progress = Progress(isWanted: !isQuiet)
    }

    /// Reads one file and sends what is in it.
    mutating func read(_ file: String, fromLine: Int) async throws {
        let input = try Input(file)
        var source = ImportSource(precision: precision)
        var toSkip = fromLine - 1
        var chunk = try await input.read()
        if let first = chunk, first.starts(with: [0x1F, 0x8B]) {
            chunk = try unpack(first + (try await input.readAll()), file)
        }
        while !Interruption.happened, var bytes = chunk {
            if toSkip > 0 {
                let ends = bytes.indices.filter { bytes[$0] == 10 }
                if ends.count < toSkip {
                    bytes = []
                } else {
                    bytes.removeFirst(ends[toSkip - 1] + 1)
                }
                toSkip = max(0, toSkip - ends.count)
            }
            try await send(source.feed(bytes), file, skipped: fromLine - 1)
            tell(source.takeBadLines(), file, skipped: fromLine - 1)
            chunk = try await input.read()
        }
        guard !Interruption.happened else { return }
        try await send(source.feed([], isLast: true), file, skipped: fromLine - 1)
        tell(source.takeBadLines(), file, skipped: fromLine - 1)
    }

    /// Says what was done.
    ///
    /// - Throws: if something was refused, or it was interrupted.
    mutating func finish() throws {
        let seconds = progress.seconds(now: .now())
        progress.clear()
        if !isQuiet {
            StandardError.write(
                """
                \(Amount.count(Double(points))) points written in \(Amount.seconds(seconds)), \
                \(refused) lines refused

                """)
        }
        guard refused == 0 else {
            throw CommandFailure(message: "\(refused) lines were refused; the others are written", advice: nil)
        }
    }

    private func unpack(_ packed: [UInt8], _ file: String) throws -> [UInt8] {
        var writer = ByteWriter(capacity: packed.count * 4)
        let failure: BytesError? = packed.withUnsafeBytes { bytes in
            do throws(BytesError) {
                try Compression.gzip.decompress(bytes, limit: Self.maximumUnpackedBytes, into: &writer)
                return nil
            } catch {
                return error
            }
        }
        if let failure {
            throw CommandFailure(
                message: "cannot unpack \(file): \(failure)",
                advice: "more than 1 GiB is unpacked outside: zcat \(file) | millrace import -")
        }
        return writer.array()
    }

    private mutating func tell(_ lines: [ImportSource.BadLine], _ file: String, skipped: Int) {
        for line in lines {
            refused += 1
            if refused <= Self.toldLines {
                progress.clear()
                StandardError.write("\(file):\(line.number + skipped): \(line.reason)\n")
            } else if refused == Self.toldLines + 1 {
                StandardError.write("further refused lines are counted only\n")
            }
        }
    }

    private mutating func send(_ portions: [ImportSource.Portion], _ file: String, skipped: Int) async throws {
        for portion in portions where !Interruption.happened {
            switch portion {
            case .statement(let text, let line):
                let (status, body) = try await request("/query?q=" + ServerOptions.escaped(text), [])
                guard status == 200, !body.contains("\"error\"") else {
                    throw CommandFailure(message: "\(file):\(line): \(text): the server answers \(body)", advice: nil)
                }
            case .lines(let lines): try await send(lines, file, skipped: skipped)
            }
        }
    }

    private mutating func send(_ lines: ImportSource.Lines, _ file: String, skipped: Int) async throws {
        guard let database = lines.database ?? database else {
            throw CommandFailure(
                message: "\(file) does not say which database its points are for", advice: "name it with --database")
        }
        let place = "\(file): lines \(lines.numbers.lowerBound + skipped) to \(lines.numbers.upperBound + skipped)"
        try await create(database)
        var target = "/write?db=\(ServerOptions.escaped(database))&precision=\(precision.name)"
        if let policy = lines.retentionPolicy ?? retentionPolicy { target += "&rp=" + ServerOptions.escaped(policy) }
        let (status, body) = try await request(target, lines.bytes, advice: advice(lines, file, skipped))
        switch status {
        case 204: points += lines.points
        case 400 where body.contains("partial write"):
            // InfluxDB's text ends with the number.
            let dropped = body.split(separator: "dropped=").last.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
            refused += dropped
            points += lines.points - dropped
            progress.clear()
            StandardError.write("\(place): \(body)\n")
        default:
            throw CommandFailure(
                message: "\(place): the server answers \(status): \(body)", advice: advice(lines, file, skipped))
        }
        bytes += lines.bytes.count
        show()
    }

    private func advice(_ lines: ImportSource.Lines, _ file: String, _ skipped: Int) -> String {
        "everything before is written; go on with --from-line \(lines.numbers.lowerBound + skipped) of \(file)"
    }

    private mutating func create(_ database: String) async throws {
        guard created.insert(database).inserted else { return }
        let name = database.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        let (status, body) = try await request("/query?q=" + ServerOptions.escaped("CREATE DATABASE \"\(name)\""), [])
        guard status == 200, !body.contains("\"error\"") else {
            throw CommandFailure(message: "cannot create the database \(database): \(body)", advice: nil)
        }
    }

    /// Sends a request, again and again while the server is busy.
    private mutating func request(
        _ target: String, _ body: [UInt8], advice: String? = nil
    ) async throws -> (status: Int, body: String) {
        for attempt in 1... {
            let (status, answer) = try await server.send("POST", target, body)
            let text = String(decoding: answer.prefix(4_096), as: UTF8.self).trimmedEnd
            guard status == 503, attempt < Self.tries, !Interruption.happened else { return (status, text) }
            try await Task.sleep(for: .seconds(1))
        }
        return (503, "busy")
    }

    private mutating func show() {
        let now = NIODeadline.now()
        guard progress.isDue(now: now) else { return }
        let seconds = max(progress.seconds(now: now), 0.001)
        let rate = Amount.count(Double(points) / seconds)
        progress.show(
            "\(Amount.count(Double(points))) points, \(Amount.bytes(Double(bytes))), \(rate) points/s", now: now)
    }
}

extension String {
    /// Without line ends at the end.
    fileprivate var trimmedEnd: String { String(reversed().drop { $0.isNewline }.reversed()) }
}
