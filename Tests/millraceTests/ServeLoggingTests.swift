import Logging
import Machine
import Synchronization
import Testing

@testable import millrace

@Suite struct ServeLoggingTests {
    private struct StoppedClock: Clock {
        func wallMilliseconds() -> Int64 { 1_795_225_085_123 }
        func monotonicNanoseconds() -> UInt64 { 0 }
        func threadNanoseconds() -> UInt64 { 0 }
    }

    private final class Lines: Sendable {
        let text = Mutex("")
    }

    private func logged(_ format: LogFormat, _ write: (Logger) -> Void) -> String {
        let lines = Lines()
        let logger = Logger(label: "millrace") { label in
            LineLogHandler(label: label, format: format, level: LiveLogLevel(.info), clock: StoppedClock()) { bytes in
                lines.text.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            }
        }
        write(logger)
        return lines.text.withLock { $0 }
    }

    @Test func logfmtQuotesWhatIsNoPlainWord() {
        let line = logged(.logfmt) { logger in
            logger.debug("not this")
            logger.warning("it's \"odd\"\n", metadata: ["b": "1", "a": "x=y", "empty": ""])
        }
        #expect(
            line
                == #"time=2026-11-21T01:38:05.123Z level=warning from=millrace message="it's \"odd\"\n" a="x=y" b=1 empty="""#
                + "\n")
    }

    @Test func theLevelChangesForEveryLoggerThatHasNoneOfItsOwn() {
        let level = LiveLogLevel(.info)
        let logger = Logger(label: "a") { label in
            LineLogHandler(label: label, format: .logfmt, level: level, clock: StoppedClock()) { _ in }
        }
        var quiet = logger
        quiet.logLevel = .error
        for one in Logger.Level.allCases {
            level.value = one
            #expect(level.value == one && logger.logLevel == one && quiet.logLevel == .error)
        }
    }

    @Test func jsonEscapesControlCharacters() {
        let line = logged(.json) { $0.info("tab\tbell\u{7}", metadata: ["é": "\\"]) }
        #expect(
            line
                == #"{"time":"2026-11-21T01:38:05.123Z","level":"info","from":"millrace","message":"tab\tbell\u0007","é":"\\"}"#
                + "\n")
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] as [(Int64, String)])
    func timestampsAreRFC3339(milliseconds: Int64, text: String) {
        #expect(timestamp(milliseconds: milliseconds) == text)
    }
}
