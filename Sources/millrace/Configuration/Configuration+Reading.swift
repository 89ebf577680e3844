import Glibc
import Machine

/// The environment of the process, or of a test.
struct ServeEnvironment: Sendable {
    let values: [String: String]

    /// That of the process.
    static var current: ServeEnvironment {
        var values: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let parts = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
            next += 1
        }
        return ServeEnvironment(values: values)
    }

    /// A variable's value; an empty one counts as not set.
    func value(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Variables that look like ours and mean nothing, each with the name that may be meant.
    var unknown: [(name: String, nearest: String?)] {
        let others = ["MILLRACE_CONFIG", "MILLRACE_BOOTSTRAP", "MILLRACE_SERVER"]
        let known = SettingTable.options.map(Setting.variable) + others
        return values.keys.filter { $0.hasPrefix("MILLRACE_") && !known.contains($0) }.sorted().map { name in
            // The prefix is right already; with it, everything would be near.
            let nearest = NearestName.of(String(name.dropFirst(9)), among: SettingTable.options + ["config"])
            return (name, nearest.map(Setting.variable))
        }
    }
}

extension Configuration {
    /// What `options`, the environment and the file that either names give.
    static func read(_ options: ServeOptions, _ environment: ServeEnvironment, _ files: any FileSystem) -> Configuration
    {
        var values: [Given] = []
        var mistakes: [Mistake] = []
        if let path = options.config ?? environment.value("MILLRACE_CONFIG") {
            let file = readFile(path, files)
            values += file.values
            mistakes += file.mistakes
        }
        for option in SettingTable.options {
            let variable = Setting.variable(option)
            guard let text = environment.value(variable) else { continue }
            // A list of topic defaults in one variable.
            let texts = option == Setting.topicDefaults ? text.split(separator: ",").map(String.init) : [text]
            for text in texts { take(option, word(text, option), .environment(variable), &values, &mistakes) }
        }
        for (option, text) in options.given { take(option, text, .flag("--" + option), &values, &mistakes) }
        return Configuration(values, mistakes: mistakes)
    }

    /// Variables of truths may be 1 and 0.
    private static func word(_ text: String, _ option: String) -> String {
        guard SettingTable.named(option)?.kind == .boolean else { return text }
        return ["1": "true", "0": "false"][text] ?? text
    }

    private static func take(
        _ option: String, _ text: String, _ origin: Origin, _ values: inout [Given], _ mistakes: inout [Mistake]
    ) {
        guard option == Setting.topicDefaults else {
            return values.append(Given(name: option, text: text, origin: origin))
        }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let given = Given(name: "\(option).\(parts[0])", text: parts.last ?? "", origin: origin)
        if parts.count < 2 {
            mistakes.append(
                Given(name: option, text: text, origin: origin).mistake(
                    "is \(Mistake.quoted(text)); it must be CONFIG=VALUE, such as retention.ms=86400000"))
        } else if SettingTable.named(given.name) == nil {
            let nearest = NearestName.of(parts[0], among: SettingTable.topicConfigs)
            mistakes.append(
                Given(name: option, text: text, origin: origin).mistake(
                    "names an unknown topic config \(Mistake.quoted(parts[0]))"
                        + (nearest.map { ": did you mean \($0)?" } ?? "")))
        } else {
            values.append(given)
        }
    }

    private static func readFile(_ path: String, _ files: any FileSystem) -> (values: [Given], mistakes: [Mistake]) {
        do {
            if try files.information(at: path)?.isDirectory == true {
                return ([], [Mistake(FilePlace(file: path), "this is a directory: name the file in it")])
            }
            let opened = try files.open(path, .read)
            defer { opened.close() }
            // One byte more than allowed tells that there is more.
            var bytes = [UInt8](repeating: 0, count: ConfigurationFile.maximumBytes + 1)
            let count = try bytes.withUnsafeMutableBytes { try opened.read(into: $0, at: 0) }
            let file = ConfigurationFile(Array(bytes.prefix(count)), name: path)
            return (file.values, file.mistakes)
        } catch let error as MachineError {
            let why =
                switch error.code {
                case .notFound: "there is no such file"
                case .denied: "this user may not read it"
                default: "it cannot be read: \(reason(error.errorNumber))"
                }
            return ([], [Mistake(FilePlace(file: path), "\(why); --config or MILLRACE_CONFIG names it")])
        } catch {
            return ([], [Mistake(FilePlace(file: path), "\(error)")])
        }
    }
}
