import Glibc

/// Which seeds a simulation runs, as the environment says.
public enum SimulationSeeds {
    /// `MILLRACE_SEED` runs that one seed, to replay a failure. `MILLRACE_ROUNDS` runs that many, from a random one on.
    /// Without either, the seeds are 1 to `count`.
    public static func chosen(_ count: UInt64) -> [UInt64] {
        if let seed = number("MILLRACE_SEED") { return [seed] }
        if let rounds = number("MILLRACE_ROUNDS") {
            let first = UInt64.random(in: 1...(1 << 48))
            return Array(first..<first + max(1, rounds))
        }
        return Array(1...count)
    }

    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }
}
