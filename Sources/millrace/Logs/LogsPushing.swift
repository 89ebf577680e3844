import Bytes
import NIOCore

/// Pushes on their way: sent again until the server has taken them, counted, told.
struct LogsPushing {
    /// The refusals that are told one by one.
    private static let toldRefusals = 20
    /// How long to wait before a push is sent again: at first, and at most.
    private static let pauseMilliseconds: ClosedRange<Int64> = 100...2_000
    /// After an interruption: how long the server may be away until what was read is given up.
    private static let lastPatience: TimeAmount = .seconds(10)

    private let target: LogsTargetOptions
    private let giveUpAfterMilliseconds: Int64?
    private var progress: Progress
    private var isAway = false
    private(set) var written = 0
    private(set) var bytes = 0
    private(set) var refused = 0
    private var refusals = 0

    init(target: LogsTargetOptions, giveUpAfterMilliseconds: Int64?) {
        self.target = target
        self.giveUpAfterMilliseconds = giveUpAfterMilliseconds
        progress = Progress(isWanted: !target.quiet)
    }

    /// Sends what a batch holds.
    ///
    /// - Throws: `CommandFailure` if it cannot be sent; refused lines are counted and told.
    mutating func send(_ batch: inout LogsBatch, place: String = "") async throws {
        guard !batch.isEmpty else { return }
        let (lines, size) = (batch.lines, batch.bytes)
        let body = try batch.take()
        let (status, text) = try await sendUntilTaken(body, lines: lines)
        guard status != 204 else {
            written += lines
            bytes += size
            return show()
        }
        guard status == 400 || status == 429 else {
            throw CommandFailure(message: "the server answers \(status): \(text)")
        }
        let refusedNow = min(lines, Self.refused(in: text) ?? lines)
        refused += refusedNow
        written += lines - refusedNow
        bytes += size
        refusals += 1
        guard refusals <= Self.toldRefusals else { return show() }
        progress.clear()
        StandardError.write("\(place.isEmpty ? "" : "\(place): ")\(text)\n")
    }

    /// The server says `N errors like: …; M errors like: …`.
    static func refused(in text: String) -> Int? {
        let counts = text.split(separator: "; ").compactMap { part -> Int? in
            let words = part.split(separator: " ", maxSplits: 2)
            guard words.count > 2, words[1] == "errors" || words[1] == "other" else { return nil }
            return Int(words[0])
        }
        return counts.isEmpty ? nil : counts.reduce(0, +)
    }

    /// Whether the same may be taken later.
    private static func isPassing(_ status: Int, _ text: String) -> Bool {
        status == 503 || status == 500 || status == 502 || status == 504 || (status == 429 && refused(in: text) == nil)
    }

    private mutating func sendUntilTaken(_ body: [UInt8], lines: Int) async throws -> (status: Int, text: String) {
        let began = NIODeadline.now()
        var pause = Self.pauseMilliseconds.lowerBound
        while true {
            let reason: String
            do {
                let (status, answer) = try await target.server.send(
                    "POST", "/loki/api/v1/push", body, fields: target.fields)
                let text = String(decoding: answer.prefix(4_096), as: UTF8.self).filter { !$0.isNewline }
                guard Self.isPassing(status, text) else {
                    tellReturn()
                    return (status, text)
                }
                reason = "the server answers \(status): \(text)"
            } catch let failure as CommandFailure {
                reason = failure.message
            }
            tellAway(reason)
            try checkPatience(since: began, lines: lines, reason)
            try await Task.sleep(for: .milliseconds(pause))
            pause = min(pause * 2, Self.pauseMilliseconds.upperBound)
        }
    }

    private func checkPatience(since began: NIODeadline, lines: Int, _ reason: String) throws {
        let waited = NIODeadline.now() - began
        let isOver =
            Interruption.happened && waited > Self.lastPatience
            || giveUpAfterMilliseconds.map { waited > .milliseconds($0) } == true
        guard isOver else { return }
        throw CommandFailure(
            message: "\(lines) lines that were read are not written, \(written) are: \(reason)",
            advice: "is a server listening there? Name another with --server HOST:PORT")
    }

    private mutating func tellAway(_ reason: String) {
        guard !isAway, !target.quiet else { return }
        isAway = true
        progress.clear()
        StandardError.write("\(reason); trying again\n")
    }

    private mutating func tellReturn() {
        guard isAway else { return }
        isAway = false
        StandardError.write("the server takes lines again\n")
    }

    private mutating func show() {
        let now = NIODeadline.now()
        guard progress.isDue(now: now) else { return }
        let rate = Amount.count(Double(written) / max(progress.seconds(now: now), 0.001))
        progress.show(
            "\(Amount.count(Double(written))) lines, \(Amount.bytes(Double(bytes))), \(rate) lines/s", now: now)
    }

    /// Shows a line of the caller's own.
    mutating func show(_ line: @autoclosure () -> String) {
        let now = NIODeadline.now()
        if progress.isDue(now: now) { progress.show(line(), now: now) }
    }

    /// Says what was done.
    ///
    /// - Throws: if lines were refused, or it was interrupted.
    mutating func finish() throws {
        let seconds = progress.seconds(now: .now())
        progress.clear()
        if target.json {
            var json = JSONText()
            json.object { json in
                json.member("lines", Int64(written))
                json.member("refused", Int64(refused))
                json.member("bytes", Int64(bytes))
                json.key("seconds")
                json.value(seconds)
            }
            json.newline()
            let output = Output()
            try output.write(json.text)
            try output.flush()
        } else if !target.quiet {
            let plural = written == 1 ? "" : "s"
            StandardError.write(
                "\(written) line\(plural) written in \(Amount.seconds(seconds)), \(refused) refused\n")
        }
        if refused > 0 { throw CommandFailure(message: "\(refused) lines were refused; the others are written") }
        if Interruption.happened {
            throw CommandFailure(
                message: "interrupted: the \(written) lines that were read are written", status: ExitStatus.interrupted)
        }
    }
}
