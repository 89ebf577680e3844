import FoundationEssentials
import Glibc
import MillraceTesting
import Testing

/// The contract with whoever starts the server from a program, on the real binary.
@Suite(.serialized) struct ServeContractTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory("serve-contract")
    }

    private func options(_ data: String = "data") -> [String] {
        ["--data", directory.path + "/" + data, "--kafka-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"]
    }

    @Test func saysThatItIsReadyAndStopsWithStatusZero() throws {
        let readyFile = directory.path + "/ready"
        let server = try ServerProcess(options() + ["--ready-file", readyFile])
        let line = try #require(server.readLine())
        #expect(line.hasPrefix("ready kafka=127.0.0.1:"))
        #expect(line.contains(" http=127.0.0.1:") && line.contains(" grpc=off version="))
        #expect(!line.contains(":0 "))
        let content = FileManager.default.contents(atPath: readyFile).map { String(decoding: $0, as: UTF8.self) }
        #expect(content == line + "\n")
        server.send(SIGTERM)
        #expect(server.wait() == 0)
        #expect(!FileManager.default.fileExists(atPath: readyFile))
    }

    @Test func theEnvironmentIsEnough() throws {
        let server = try ServerProcess(
            [],
            environment: [
                "MILLRACE_DATA=\(directory.path)/data", "MILLRACE_KAFKA_LISTEN=127.0.0.1:0",
                "MILLRACE_HTTP_LISTEN=127.0.0.1:0", "MILLRACE_LOG_FORMAT=json",
            ])
        #expect(server.readLine()?.hasPrefix("ready kafka=") == true)
        server.send(SIGINT)
        #expect(server.wait() == 0)
        #expect(server.standardError.contains("\"message\":\"ready\""))
    }

    @Test func aDirectoryInUseIsNamed() throws {
        let first = try ServerProcess(options())
        _ = try #require(first.readLine())
        let second = try ServerProcess(options())
        #expect(second.wait() == 75)
        #expect(second.standardError.contains("another process"))
        first.send(SIGTERM)
        #expect(first.wait() == 0)
    }

    @Test func aPortInUseIsNamedWithTheNextStep() throws {
        let first = try ServerProcess(options())
        let line = try #require(first.readLine())
        let address = { (name: String) in
            String(line.split(separator: " ").first { $0.hasPrefix(name) }?.dropFirst(name.count) ?? "")
        }
        for (option, taken) in [("--kafka-listen", address("kafka=")), ("--http-listen", address("http="))] {
            let second = try ServerProcess(options("other") + [option, taken])
            #expect(second.wait() == 69)
            #expect(second.standardError.contains("cannot listen on \(taken)"))
            #expect(second.standardError.contains("\(option) HOST:PORT"))
        }
        first.send(SIGTERM)
        #expect(first.wait() == 0)
    }

    @Test func badOptionsAndDirectoriesHaveStatusesOfTheirOwn() throws {
        #expect(try ServerProcess(["--data"]).wait() == 64)
        #expect(try ServerProcess([]).wait() == 64)
        #expect(try ServerProcess(options() + ["--kafka-listen", "0.0.0.0:0"]).wait() == 64)
        let file = directory.path + "/file"
        #expect(FileManager.default.createFile(atPath: file, contents: nil))
        #expect(try ServerProcess(options("file/data")).wait() == 73)
    }

    @Test func theSecondSignalStopsAtOnce() throws {
        let server = try ServerProcess(options() + ["--stop-timeout", "3600"])
        let line = try #require(server.readLine())
        let port = line.split(separator: " ")[1].split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        // Half a request: nothing to answer, so the graceful stop closes the connection and is quick.
        let connection = try #require(connect(port))
        defer { close(connection) }
        server.send(SIGTERM)
        server.send(SIGTERM)
        #expect([0, 130].contains(server.wait()))
    }

    private func connect(_ port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return result == 0 ? descriptor : nil
    }
}

/// A `millrace serve` of its own, ended with the test.
private final class ServerProcess {
    private let process: pid_t
    private let output: Int32
    private let errors: Int32
    private var isRunning = true
    private var errorText = ""

    struct CannotStart: Error {
        let number: Int32
    }

    init(_ arguments: [String], environment: [String] = []) throws {
        var (output, errors): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard pipe(&output) == 0, pipe(&errors) == 0 else { throw CannotStart(number: errno) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO)
        for descriptor in output + errors { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var process = pid_t()
        let binary = Self.binary
        let status = Self.withCStrings([binary, "serve"] + arguments) { arguments in
            Self.withCStrings(environment) { environment in
                posix_spawn(&process, binary, &actions, nil, arguments, environment)
            }
        }
        close(output[1])
        close(errors[1])
        guard status == 0 else { throw CannotStart(number: status) }
        (self.process, self.output, self.errors) = (process, output[0], errors[0])
    }

    deinit {
        if isRunning {
            kill(process, SIGKILL)
            _ = wait()
        }
        close(output)
        close(errors)
    }

    /// What was written to STDERR until it ended.
    var standardError: String { errorText }

    func send(_ signal: Int32) {
        kill(process, signal)
    }

    /// The first line of STDOUT, without its end; nil if there is none.
    func readLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return nil
    }

    /// Waits for the end and returns the exit status; 128 and more if a signal ended it.
    func wait() -> Int32 {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(errors, &bytes, bytes.count), count > 0 {
            errorText += String(decoding: bytes[..<count], as: UTF8.self)
        }
        var status: Int32 = 0
        waitpid(process, &status, 0)
        isRunning = false
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
    }

    /// The binary that was built beside these tests.
    private static let binary: String = {
        var path = [CChar](repeating: 0, count: 4_096)
        let count = max(0, readlink("/proc/self/exe", &path, path.count))
        let tests = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return tests.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/millrace"
    }()

    private static func withCStrings<Result>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}
