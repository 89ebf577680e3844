import Bytes
import KafkaWire

/// A seeded source of field values. Boundary values come often.
struct RandomSource {
    private var state: UInt64

    /// How many more arrays may need a compact count of two bytes.
    private var longArrays: Int

    init(seed: UInt64, longArrays: Int = 1) {
        state = seed
        self.longArrays = longArrays
    }

    /// The next 64 bits (SplitMix64).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// True once in `times`.
    mutating func chance(_ times: Int) -> Bool { below(times) == 0 }

    mutating func integer<T: FixedWidthInteger>() -> T {
        switch below(6) {
        case 0: .min
        case 1: .max
        case 2: T(truncatingIfNeeded: -1)
        case 3: T(truncatingIfNeeded: below(200))
        default: T(truncatingIfNeeded: next())
        }
    }

    mutating func string() -> String {
        // Longer ones need a compact length of two bytes.
        let length = chance(10) ? 200 : below(20)
        return String((0..<length).map { _ in ["a", "ß", "€", "😀", ".", "\0"][below(6)] as Character })
    }

    mutating func bytes() -> [UInt8] {
        let count = chance(10) ? 300 : below(30)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    mutating func records() -> RecordsField { chance(4) ? .null : .bytes(bytes()) }

    mutating func uuid() -> Uuid { Uuid(high: integer(), low: integer()) }

    mutating func array<T>(_ element: (inout RandomSource) -> T) -> [T] {
        var count = below(4)
        if longArrays > 0, chance(10) {
            longArrays -= 1
            count = 130
        }
        return (0..<count).map { _ in element(&self) }
    }
}

/// What can be made of random values: only fields of the version are set.
protocol RandomValue: Equatable {
    init()
    static func random(_ source: inout RandomSource, _ version: Int16) -> Self
}

/// A message of random values.
protocol RandomMessage: RandomValue, KafkaMessage {
    /// Replaces ranges of a frame by copies of its bytes, so that a decoded message equals the one encoded.
    mutating func takeRecords(from frame: UnsafeRawBufferPointer)
}

extension RandomMessage {
    mutating func takeRecords(from frame: UnsafeRawBufferPointer) {}
}

extension RecordsField {
    mutating func takeRecords(from frame: UnsafeRawBufferPointer) {
        if case .frame(let range) = self { self = .bytes([UInt8](frame[range])) }
    }
}
