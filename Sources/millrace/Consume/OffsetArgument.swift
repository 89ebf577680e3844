import ArgumentParser
import KafkaClient

/// Where to begin or to end, as people write it.
struct OffsetArgument: Equatable {
    let spec: OffsetSpec

    /// Reads `beginning`, `end`, an offset, `-N` (N before the end), or a time; nil if it is none of these.
    init?(_ text: String, now: Int64) {
        switch text {
        case "beginning", "earliest": spec = .earliest
        case "end", "latest": spec = .latest
        default:
            if text.hasPrefix("-"), let count = Int64(text.dropFirst()), count >= 0 {
                spec = .beforeEnd(count)
            } else if let offset = Int64(text), offset >= 0 {
                spec = .offset(offset)
            } else if let time = TimeText.milliseconds(text, now: now) {
                spec = .time(milliseconds: time)
            } else {
                return nil
            }
        }
    }
}

extension OffsetArgument: ExpressibleByArgument {
    init?(argument: String) { self.init(argument, now: wallMilliseconds()) }

    static var help: String {
        "beginning, end, an offset, -N (N before the end), or a time: 2026-11-21T01:38:05Z, 1h (ago), 2d"
    }
}
