import ArgumentParser
import Machine

/// `millrace config`: the settings that `millrace serve` would start with.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the settings in force and where each comes from; check a file.",
        discussion: """
            Takes the options of `millrace serve` and reads the same file and environment, and starts nothing.

              millrace config --config /etc/millrace/millrace.yaml --check
              millrace config --yaml > millrace.yaml

            Exit status: 0 everything is right; 64 something is not, told with file, line and column.
            """)

    @Flag(help: "Only check: print nothing but mistakes.")
    var check = false

    @Flag(help: "Print one JSON object per setting and line.")
    var json = false

    @Flag(help: "Print a configuration file with every setting and its documentation.")
    var yaml = false

    @OptionGroup var options: ServeOptions

    func validate() throws {
        guard [check, json, yaml].filter({ $0 }).count < 2 else {
            throw ValidationError("--check, --json and --yaml exclude each other")
        }
    }

    func run() async throws {
        let environment = ServeEnvironment.current
        let configuration = Configuration.read(options, environment, Machine.posix().files)
        for variable in environment.unknown {
            let nearest = variable.nearest.map { "; did you mean \($0)?" } ?? ""
            StandardError.write("warning: \(variable.name) is no setting's variable\(nearest)\n")
        }
        guard configuration.mistakes.isEmpty else {
            ConfigurationFailure(mistakes: configuration.mistakes).report()
            throw ExitCode(ExitStatus.usage)
        }
        if check { return }
        let output = Output()
        try output.write(
            json
                ? ConfigurationReport.json(configuration)
                : yaml ? ConfigurationReport.yaml(configuration) : ConfigurationReport.table(configuration))
        try output.flush()
    }
}
