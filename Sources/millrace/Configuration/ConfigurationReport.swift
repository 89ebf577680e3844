/// A configuration as text: for people, for programs, and as a file to start from.
enum ConfigurationReport {
    /// A line per setting: name, value, where that comes from, what it does.
    static func table(_ configuration: Configuration) -> String {
        var table = Table([("setting", .left), ("value", .left), ("source", .left), ("what it does", .left)])
        for setting in SettingTable.all {
            table.add([
                setting.name, configuration.value(of: setting.name) ?? setting.defaultNote ?? "-",
                source(configuration.origin(of: setting.name)), setting.documentation,
            ])
        }
        return table.text
    }

    /// Where a value comes from, in a word or a place.
    static func source(_ origin: Configuration.Origin?) -> String {
        switch origin {
        case nil: "default"
        // Without the column: the line is what one looks for.
        case .file(let place): "\(place.file):\(place.line)"
        case .environment(let variable): variable
        case .flag(let flag): flag
        case .everyBroker: "stored for every broker"
        case .thisBroker: "stored for this broker"
        }
    }

    /// A JSON object per setting and line.
    static func json(_ configuration: Configuration) -> String {
        var json = JSONText()
        for setting in SettingTable.all {
            json.object { json in
                json.member("name", setting.name)
                json.key("value")
                value(configuration.value(of: setting.name), setting, &json)
                json.member("source", kind(configuration.origin(of: setting.name)))
                json.member("place", configuration.origin(of: setting.name).map { source($0) })
                json.key("default")
                value(setting.defaultValue, setting, &json)
                json.member("unit", setting.unit)
                json.member("flag", setting.flag)
                json.member("variable", setting.variable)
                json.member("broker_config", setting.broker?.name)
                json.key("dynamic")
                json.value(setting.broker?.isDynamic ?? false)
                json.member("documentation", setting.documentation)
            }
            json.newline()
        }
        return json.text
    }

    private static func value(_ text: String?, _ setting: Setting, _ json: inout JSONText) {
        switch (setting.kind, text) {
        case (_, nil): json.null()
        case (.integer, let text?): Int64(text).map { json.value($0) } ?? json.value(text)
        case (.boolean, let text?): json.value(text == "true")
        case (_, let text?): json.value(text)
        }
    }

    private static func kind(_ origin: Configuration.Origin?) -> String {
        switch origin {
        case nil: "default"
        case .file: "file"
        case .environment: "environment"
        case .flag: "flag"
        case .everyBroker, .thisBroker: "stored"
        }
    }

    /// A configuration file: what is set as it is, every default behind a "#".
    static func yaml(_ configuration: Configuration) -> String {
        var text = """
            # Millrace's settings: millrace serve --config FILE
            #
            # A line that begins with "#" and a name shows a default: remove the "#" to change it. MILLRACE_… in the
            # environment wins over this file, and an option of the command line over both.

            """
        for section in Setting.Section.allCases {
            text += "\n\n# == \(section.rawValue) ==\n"
            let settings = SettingTable.all.filter { $0.section == section }
            if section == .topicDefaults {
                let isSet = settings.contains { configuration.origin(of: $0.name) != nil }
                text += "\n\(isSet ? "" : "#")\(Setting.topicDefaults):\n"
            }
            for setting in settings { text += entry(setting, configuration) }
        }
        return text
    }

    private static func entry(_ setting: Setting, _ configuration: Configuration) -> String {
        let indent = setting.topicConfig == nil ? "" : "  "
        let name = setting.topicConfig ?? setting.name
        var text = "\n" + wrapped(setting.documentation + note(setting)).map { "\(indent)# \($0)\n" }.joined()
        if let value = configuration.value(of: setting.name) {
            let isSet = configuration.origin(of: setting.name) != nil
            text += "\(isSet ? "" : "#")\(indent)\(name): \(scalar(value, setting.kind))\n"
        } else {
            text += "#\(indent)\(name):\n"
        }
        return text
    }

    private static func note(_ setting: Setting) -> String {
        setting.defaultNote.map { " Default: \($0)." } ?? ""
    }

    /// A value as YAML reads it back.
    private static func scalar(_ value: String, _ kind: SettingKind) -> String {
        switch kind {
        case .integer, .boolean, .choice: return value
        case .address where !value.hasPrefix("["): return value
        case .address, .text, .selectors:
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return "\"\(escaped)\""
        }
    }

    /// Lines of at most 100 letters.
    private static func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            let line = lines[lines.count - 1]
            if line.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if line.count + 1 + word.count <= 100 {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }
}
