/// The time that retention goes by: wall time, unless that jumped ahead.
///
/// A wall clock that jumps a year ahead (a dead battery, a wrong time server) would make every record look expired. So
/// time goes on with the clock that does not jump, and a wall clock far ahead of it is believed only after a while,
/// in which an operator can act on the event. A wall clock that is behind deletes less, and is believed at once.
struct RetentionClock: Sendable, Equatable {
    /// Ahead by more than this is a jump, in milliseconds: 10 minutes. Time servers step by seconds.
    static let toleranceMilliseconds: Int64 = 600_000
    /// Over a restart, the wall clock may be ahead of the last checkpoint by this much, in milliseconds: 7 days.
    static let restartToleranceMilliseconds: Int64 = 604_800_000
    /// How long a jump is not believed, in milliseconds: one hour.
    static let graceMilliseconds: Int64 = 3_600_000

    private var wall: Int64
    private var monotonic: Int64
    /// When a jump was first seen, on the clock that does not jump.
    private var jumpSeen: Int64?

    /// - Parameter lastKnownWall: the wall time of the last checkpoint, if there is one.
    init(wall: Int64, monotonic: Int64, lastKnownWall: Int64?) {
        self.monotonic = monotonic
        if let lastKnownWall, wall > lastKnownWall, wall - lastKnownWall > Self.restartToleranceMilliseconds {
            self.wall = lastKnownWall
            jumpSeen = monotonic
        } else {
            self.wall = wall
        }
    }

    enum Reading: Sendable, Equatable {
        /// The time to go by.
        case time(Int64)
        /// The wall clock just jumped ahead by so many milliseconds; until it is believed, the time to go by is `time`.
        case jumped(by: Int64, time: Int64)

        var time: Int64 {
            switch self {
            case .time(let time), .jumped(_, let time): time
            }
        }
    }

    mutating func read(wall newWall: Int64, monotonic newMonotonic: Int64) -> Reading {
        let expected = wall + (newMonotonic - monotonic)
        monotonic = newMonotonic
        guard newWall > expected, newWall - expected > Self.toleranceMilliseconds else {
            jumpSeen = nil
            wall = newWall
            return .time(wall)
        }
        guard let seen = jumpSeen else {
            jumpSeen = newMonotonic
            wall = expected
            return .jumped(by: newWall - expected, time: expected)
        }
        if newMonotonic - seen >= Self.graceMilliseconds {
            jumpSeen = nil
            wall = newWall
        } else {
            wall = expected
        }
        return .time(wall)
    }
}
