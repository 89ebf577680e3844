import Glibc
import Machine
import MillraceTesting
import Testing

/// A line of bash, for what only a shell can arrange.
enum ShellRun {
    static func run(_ line: String, environment: [String: String]) async throws -> (output: String, errors: String) {
        let directory = try TemporaryDirectory("shell")
        let redirected = "exec >'\(directory.path)/out' 2>'\(directory.path)/err'; \(line)"
        var argv = (["/bin/bash", "-c", redirected] as [String]).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [strdup("PATH=/usr/bin:/bin"), nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, "/bin/bash", nil, nil, &argv, &envp)
        try #require(result == 0)
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 { try await Task.sleep(for: .milliseconds(10)) }
        let files = Machine.posix().files
        return (
            try files.open(directory.path + "/out", .read).text(), try files.open(directory.path + "/err", .read).text()
        )
    }
}
