import Bytes
import KafkaWire
import Machine
import MillraceTesting

@testable import Groups
@testable import Log

/// Runs the life of one group from a text: commands, `----`, what came of them. A blank line ends a block; `#` begins a
/// comment. Commands:
///
///     settings delay=3000 members=2000 …       before everything else
///     join TOKEN [member= instance= client= session= rebalance= type= protocols=NAME:META,… old skip=no]
///     sync TOKEN member= generation= [instance= type= protocol= assign=MEMBER:BYTES,…]
///     heartbeat member= generation= [instance=]
///     commit [member= generation= instance=]   whether a commit would be admitted
///     leave ID[/INSTANCE] …                    an empty ID is written as -
///     stored TICKET [ERROR]                    the outcome of a persist
///     pass MILLISECONDS                        time goes from deadline to deadline
///     describe | topics NAME … | die ERROR
///     restart                                  a new group from what was persisted last
struct GroupScript {
    private var settings = GroupSettings()
    private var group: ConsumerGroup
    private var now: Int64 = 0
    private var nextToken: UInt64 = 1
    private var nextUUID = 1
    private var tokenNames: [UInt64: String] = [:]
    private var persisted: GroupSnapshot?
    private var output: [String] = []

    init() {
        group = ConsumerGroup(id: "g", settings: settings)
    }

    /// The script with its expected output as it really came.
    static func run(_ text: String) -> String {
        var script = GroupScript()
        var result: [String] = []
        var commands: [Substring] = []
        var isOutput = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || line.hasPrefix("#") {
                result.append(String(line))
                isOutput = false
            } else if line == "----" {
                result += commands.map(String.init) + ["----"] + script.run(commands)
                commands = []
                isOutput = true
            } else if !isOutput {
                commands.append(line)
            }
        }
        return result.joined(separator: "\n")
    }

    private mutating func run(_ commands: [Substring]) -> [String] {
        output = []
        for command in commands { run(Words(command)) }
        let deadline = group.nextDeadline.map { "+\($0 - now)" } ?? "never"
        output.append(
            """
            = \(group.state.rawValue) generation=\(group.generation) leader=\(group.leaderID ?? "-") \
            members=\(group.members.count) pending=\(group.pendingMembers.count) next=\(deadline)
            """)
        return output
    }

    private mutating func run(_ words: Words) {
        switch words.command {
        case "settings": configure(words)
        case "join": join(words)
        case "sync": sync(words)
        case "heartbeat":
            let error = group.heartbeat(words.member, generation: words.generation, now: now)
            output.append("heartbeat: \(error)")
        case "commit":
            output.append("commit: \(group.admitCommit(words.member, generation: words.generation, now: now))")
        case "leave": leave(words)
        case "stored":
            let error = words.plain.count > 1 ? errors[words.plain[1]] ?? .unknownServerError : .none
            note(group.stored(UInt64(words.plain[0]) ?? 0, error, now: now))
        case "pass": pass(Int64(words.plain[0]) ?? 0)
        case "describe": describe()
        case "topics": for topic in words.plain { output.append("\(topic): \(group.isSubscribed(to: topic))") }
        case "die": note(group.die(errors[words.plain[0]] ?? .unknownServerError))
        case "restart":
            if let persisted {
                group = ConsumerGroup(id: "g", settings: settings, restoring: persisted, now: now)
            }
        default: output.append("unknown command \(words.command)")
        }
    }

    private var errors: [String: ErrorCode] {
        ["COORDINATOR_NOT_AVAILABLE": .coordinatorNotAvailable, "NOT_COORDINATOR": .notCoordinator]
    }

    private mutating func configure(_ words: Words) {
        if let delay = words.number("delay") { settings.initialRebalanceDelayMilliseconds = Int32(delay) }
        if let members = words.number("members") { settings.maximumMembers = members }
        if let bytes = words.number("metadata") { settings.maximumMetadataBytes = bytes }
        if let protocols = words.number("protocols") { settings.maximumProtocols = protocols }
        if let bytes = words.number("bytes") { settings.maximumGroupBytes = bytes }
        if let snapshot = persisted {
            group = ConsumerGroup(id: "g", settings: settings, restoring: snapshot, now: now)
        } else {
            group = ConsumerGroup(id: "g", settings: settings)
        }
    }

    private mutating func token(_ words: Words) -> UInt64 {
        defer { nextToken += 1 }
        tokenNames[nextToken] = words.plain.first ?? "?"
        return nextToken
    }

    private mutating func join(_ words: Words) {
        let protocols = words.pairs("protocols") ?? [("range", "")]
        let request = GroupJoin(
            groupID: "g", member: words.member,
            client: GroupClient(id: words["client"] ?? words.plain.first ?? "", host: "/h"),
            sessionMilliseconds: Int32(words.number("session") ?? 10_000),
            rebalanceMilliseconds: Int32(words.number("rebalance") ?? 60_000),
            protocolType: words["type"] ?? "consumer",
            protocols: protocols.map { GroupProtocol(name: $0.0, metadata: Self.metadata($0.1)) },
            requiresMemberID: !words.plain.contains("old"), supportsSkippingAssignment: words["skip"] != "no")
        let actions = group.join(request, uuid: "\(nextUUID)", token: token(words), now: now)
        if words.member.memberID.isEmpty { nextUUID += 1 }
        note(actions)
    }

    /// "t1+t2" is a subscription to these topics; everything else stands for its bytes.
    private static func metadata(_ text: String) -> [UInt8] {
        guard text.contains("+") else { return Array(text.utf8) }
        let topics = text.split(separator: "+")
        var writer = ByteWriter()
        writer.write(Int16(3))
        writer.write(Int32(topics.count))
        for topic in topics {
            writer.write(Int16(topic.utf8.count))
            writer.write(utf8: String(topic))
        }
        writer.write(Int32(-1))
        return writer.array()
    }

    private mutating func sync(_ words: Words) {
        var assignments: [String: [UInt8]] = [:]
        for (member, bytes) in words.pairs("assign") ?? [] { assignments[member] = Array(bytes.utf8) }
        let request = GroupSync(
            groupID: "g", member: words.member, generation: words.generation, protocolType: words["type"],
            protocolName: words["protocol"], assignments: assignments)
        note(group.sync(request, token: token(words), now: now))
    }

    private mutating func leave(_ words: Words) {
        let identities = words.plain.map { word in
            let parts = word.split(separator: "/")
            return GroupMemberIdentity(
                memberID: parts[0] == "-" ? "" : String(parts[0]), instanceID: parts.count > 1 ? String(parts[1]) : nil)
        }
        let (answer, actions) = group.leave(identities, now: now)
        if answer.error != .none { output.append("leave: \(answer.error)") }
        for member in answer.members {
            let instance = member.identity.instanceID.map { "/\($0)" } ?? ""
            output.append("left \(member.identity.memberID)\(instance): \(member.error)")
        }
        note(actions)
    }

    private mutating func pass(_ milliseconds: Int64) {
        let end = now + milliseconds
        var wakeUps = 0
        while let deadline = group.nextDeadline, deadline <= end {
            now = max(now, deadline)
            let actions = group.expire(now: now)
            wakeUps += 1
            guard !actions.isEmpty else { continue }
            output.append("at -\(end - now):")
            note(actions)
        }
        now = end
        output.append("\(wakeUps) wake-ups")
    }

    private mutating func describe() {
        let description = group.description
        output.append("type=\(description.protocolType) protocol=\(description.protocolName)")
        for member in description.members {
            let instance = member.identity.instanceID.map { "/\($0)" } ?? ""
            output.append(
                """
                  \(member.identity.memberID)\(instance) client=\(member.client.id) \
                metadata=\(text(member.metadata)) assignment=\(text(member.assignment))
                """)
        }
    }

    private func text(_ bytes: [UInt8]) -> String {
        bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? String(decoding: bytes, as: UTF8.self) : "<\(bytes.count) bytes>"
    }

    private mutating func note(_ actions: [GroupAction]) {
        for action in actions { output.append(line(action)) }
    }

    private mutating func line(_ action: GroupAction) -> String {
        switch action {
        case .answerJoin(let token, let answer):
            let name = tokenNames.removeValue(forKey: token) ?? "ANSWERED TWICE"
            guard answer.error == .none else { return "\(name): \(answer.error) member=\(answer.memberID)" }
            let members = answer.members.map { member in
                "\(member.memberID)\(member.instanceID.map { "/\($0)" } ?? "")=\(text(member.metadata))"
            }
            return """
                \(name): joined member=\(answer.memberID) generation=\(answer.generation) \
                protocol=\(answer.protocolType ?? "nil")/\(answer.protocolName ?? "nil") leader=\(answer.leaderID) \
                members=[\(members.joined(separator: " "))]\(answer.skipsAssignment ? " skip" : "")
                """
        case .answerSync(let token, let answer):
            let name = tokenNames.removeValue(forKey: token) ?? "ANSWERED TWICE"
            guard answer.error == .none else { return "\(name): \(answer.error)" }
            return "\(name): assigned \(text(answer.assignment))"
        case .persist(let snapshot, let ticket):
            persisted = snapshot
            let members = snapshot.members.map { "\($0.identity.memberID)=\(text($0.assignment))" }
            return """
                persist\(ticket.map { " ticket=\($0)" } ?? "") generation=\(snapshot.generation) \
                members=[\(members.joined(separator: " "))]
                """
        }
    }
}

/// A command's words: `name plain key=value …`.
private struct Words {
    let command: String
    var plain: [String] = []
    private var values: [String: String] = [:]

    init(_ line: Substring) {
        let words = line.split(separator: " ")
        command = String(words[0])
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { values[String(parts[0])] = String(parts[1]) } else { plain.append(String(word)) }
        }
    }

    subscript(key: String) -> String? { values[key] }
    func number(_ key: String) -> Int? { values[key].flatMap { Int($0) } }
    var generation: Int32 { Int32(number("generation") ?? -1) }
    var member: GroupMemberIdentity {
        GroupMemberIdentity(memberID: values["member"] ?? "", instanceID: values["instance"])
    }

    func pairs(_ key: String) -> [(String, String)]? {
        values[key]?.split(separator: ",").map { pair in
            let parts = pair.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }
}
