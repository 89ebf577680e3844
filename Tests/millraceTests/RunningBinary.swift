import Glibc
import Machine
import MillraceTesting
import Synchronization
import Testing

/// The built `millrace`, run as a process of its own.
struct RunningBinary: Sendable {
    /// What a finished run left.
    struct Outcome: Sendable {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Lies beside the test bundle.
    static let path: String = {
        var own = [CChar](repeating: 0, count: 4_096)
        let length = readlink("/proc/self/exe", &own, own.count - 1)
        // With `swift test` the process is the bundle itself, or a helper of the toolchain: then look where we were built.
        let executable = String(decoding: own.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = executable.split(separator: "/").dropLast().joined(separator: "/")
        let beside = "/\(folder)/millrace"
        return access(beside, X_OK) == 0 ? beside : ".build/debug/millrace"
    }()

    let process: pid_t
    private let directory: TemporaryDirectory
    private let input: Int32

    /// Starts `millrace ARGUMENTS`. STDIN stays open until `closeInput`, unless `input` is given.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        directory = try TemporaryDirectory("run")
        // A named pipe, because it is opened and kept from other children in one step: a child that inherited the
        // writing end of another's STDIN would keep that one waiting for ever.
        let pipe = directory.path + "/in"
        let made = mkfifo(pipe, 0o600)
        try #require(made == 0)
        input = open(pipe, O_RDWR | O_CLOEXEC)
        try #require(input >= 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, pipe, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, directory.path + "/out", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, directory.path + "/err", O_WRONLY | O_CREAT, 0o600)
        var variables = environment
        variables["PATH"] = variables["PATH"] ?? "/usr/bin:/bin"
        process = try Self.spawn([Self.path] + arguments, variables, &actions)
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String: String], _ actions: inout posix_spawn_file_actions_t
    ) throws -> pid_t {
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, Self.path, &actions, nil, &argv, &envp)
        try #require(result == 0, "cannot start \(Self.path)")
        return process
    }

    /// Writes to STDIN.
    func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
            if written <= 0 { return }
            rest = rest.dropFirst(written)
        }
    }

    func closeInput() { close(input) }

    func signal(_ number: Int32) { kill(process, number) }

    /// What was written so far.
    var output: String { text("out") }
    var errors: String { text("err") }

    /// Waits until the process ends; after `seconds` it is killed, and the status is -9.
    func wait(seconds: Double = 30) async throws -> Outcome {
        var status: Int32 = 0
        var waited = 0.0
        while waitpid(process, &status, WNOHANG) == 0 {
            if waited > seconds { kill(process, SIGKILL) }
            try await Task.sleep(for: .milliseconds(10))
            waited += 0.01
        }
        let code = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
        return Outcome(status: code, output: output, errors: errors)
    }

    /// Waits until `condition` holds for what was written.
    func waitForOutput(seconds: Double = 20, _ condition: (String) -> Bool) async throws {
        var waited = 0.0
        while !condition(output) {
            try #require(waited < seconds, "waited in vain; output: \(output) errors: \(errors)")
            try await Task.sleep(for: .milliseconds(10))
            waited += 0.01
        }
    }

    /// Runs to the end.
    static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) async throws -> Outcome {
        let binary = try RunningBinary(arguments, environment: environment)
        binary.write(input)
        binary.closeInput()
        return try await binary.wait()
    }

    private func text(_ name: String) -> String {
        (try? Machine.posix().files.open(directory.path + "/" + name, .read).text()) ?? ""
    }
}

/// A server process with its own directory.
final class BrokerProcess: Sendable {
    let binary: RunningBinary
    let address: String
    private let directory: TemporaryDirectory
    private let isStopped = Atomic<Bool>(false)
    /// Its data directory.
    var data: String { directory.path + "/data" }

    private init(binary: RunningBinary, address: String, directory: TemporaryDirectory) {
        self.binary = binary
        self.address = address
        self.directory = directory
    }

    /// Serves while the body runs.
    static func run<Value>(_ body: (BrokerProcess) async throws -> Value) async throws -> Value {
        let directory = try TemporaryDirectory("serve")
        let binary = try RunningBinary([
            "serve", "--data", directory.path + "/data", "--kafka-listen", "127.0.0.1:0", "--http-listen",
            "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0",
        ])
        try await binary.waitForOutput { $0.contains("\n") }
        let field = binary.output.split(separator: " ").first { $0.hasPrefix("kafka=") }
        let address = try #require(field).dropFirst("kafka=".count)
        let server = BrokerProcess(binary: binary, address: String(address), directory: directory)
        do {
            let value = try await body(server)
            try await server.stop()
            return value
        } catch {
            try await server.stop()
            throw error
        }
    }

    /// Runs `millrace ARGUMENTS` against this server.
    func millrace(_ arguments: String..., input: String = "") async throws -> RunningBinary.Outcome {
        try await RunningBinary.run(arguments, input: input, environment: ["MILLRACE_BOOTSTRAP": address])
    }

    /// Stops it in good order; a second time is harmless.
    func stop() async throws {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        binary.signal(SIGTERM)
        binary.closeInput()
        _ = try await binary.wait()
    }
}
