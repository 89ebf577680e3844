import Glibc
import Instruments
import Machine

/// What the operating system knows about this process, read at each rendering of the metrics.
struct ProcessFigures: Sendable {
    private let machine: Machine
    private let startedAt: UInt64
    private let data: String

    /// Begins to count the uptime. `data` is the directory whose disk is told.
    init(machine: Machine, data: String) {
        self.machine = machine
        self.data = data
        startedAt = machine.clock.monotonicNanoseconds()
    }

    /// Seconds since the process, in effect, started.
    var uptimeSeconds: Double { Double(machine.clock.monotonicNanoseconds() - startedAt) / 1e9 }

    /// Writes every family.
    func write(_ writer: inout ExpositionWriter) {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        writer.family("process_cpu_seconds_total", help: "User and system time of the process.", kind: .counter)
        writer.sample(seconds(usage.ru_utime) + seconds(usage.ru_stime))
        if let bytes = residentBytes {
            writer.family("process_resident_memory_bytes", help: "Resident memory of the process.", kind: .gauge)
            writer.sample(bytes)
        }
        if let count = try? machine.files.contents(ofDirectory: "/proc/self/fd").count {
            writer.family("process_open_fds", help: "Open file descriptors.", kind: .gauge)
            writer.sample(count)
        }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        writer.family("process_max_fds", help: "The most file descriptors that may be open.", kind: .gauge)
        writer.sample(limit.rlim_cur)
        writer.family("millrace_build_info", help: "1, with the version of the server.", kind: .gauge)
        writer.sample(1, labels: [Label("version", version)])
        writer.family("millrace_uptime_seconds", help: "Time since the server started.", kind: .gauge)
        writer.sample(uptimeSeconds)
        if let disk = try? machine.files.capacity(ofVolumeHolding: data) {
            writer.family("millrace_disk_bytes", help: "Size of the disk that holds the data.", kind: .gauge)
            writer.sample(disk.totalBytes)
            writer.family(
                "millrace_disk_available_bytes", help: "What may still be written to that disk.", kind: .gauge)
            writer.sample(disk.availableBytes)
        }
    }

    /// The second number of /proc/self/statm, in pages.
    private var residentBytes: Int? {
        guard let file = try? machine.files.open("/proc/self/statm", .read) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 128)
        guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0, at: 0) }) else { return nil }
        let numbers = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return numbers.count > 1 ? Int(numbers[1]).map { $0 * sysconf(Int32(_SC_PAGESIZE)) } : nil
    }

    private func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}

/// Raises the limit of open files to what the system allows: connections and segments need a descriptor each.
///
/// - Returns: the limit now.
func raiseFileLimit() -> UInt64 {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return UInt64(limit.rlim_cur)
}
