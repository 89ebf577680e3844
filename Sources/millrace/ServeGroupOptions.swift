import ArgumentParser
import Log

/// The options of consumer groups, as given. Each is also read from the environment, as all of `serve`.
struct ServeGroupOptions: ParsableArguments {
    @Option(
        help: "Milliseconds that the first rebalance of an empty group waits for more members. (default: 3000)")
    var groupInitialRebalanceDelay: Int32?

    @Option(help: "The shortest session of a group's member, in milliseconds. (default: 6000)")
    var groupMinSessionTimeout: Int32?

    @Option(help: "The longest session of a group's member, in milliseconds. (default: 1800000)")
    var groupMaxSessionTimeout: Int32?

    @Option(help: "Members of one group; one more is refused. (default: 2000)")
    var groupMaxSize: Int?

    @Option(help: "Groups; a member or an offset that would make one more is refused. (default: 100000)")
    var maxGroups: Int?

    @Option(help: "Minutes for which a group without members keeps its offsets. (default: 10080, 7 days)")
    var offsetsRetentionMinutes: Int64?

    @Option(help: "Partitions of groups whose lag /metrics tells one by one; the rest is summed up. (default: 5000)")
    var metricsLagPartitions: Int?
}

extension GroupSettings {
    /// Options first, then the environment, then what is there.
    mutating func read(_ options: ServeGroupOptions, _ take: ServeValues) throws {
        let milliseconds: ClosedRange<Int32> = 0...86_400_000
        if let delay = try take.number(
            "group-initial-rebalance-delay", options.groupInitialRebalanceDelay, in: milliseconds)
        {
            initialRebalanceDelayMilliseconds = delay
        }
        if let shortest = try take.number("group-min-session-timeout", options.groupMinSessionTimeout, in: milliseconds)
        {
            minimumSessionMilliseconds = shortest
        }
        if let longest = try take.number("group-max-session-timeout", options.groupMaxSessionTimeout, in: milliseconds)
        {
            maximumSessionMilliseconds = longest
        }
        guard minimumSessionMilliseconds <= maximumSessionMilliseconds else {
            throw ValidationError(
                """
                --group-min-session-timeout is \(minimumSessionMilliseconds), more than --group-max-session-timeout, \
                which is \(maximumSessionMilliseconds)
                """)
        }
        if let members = try take.number("group-max-size", options.groupMaxSize, in: 1...100_000) {
            maximumMembers = members
        }
        if let groups = try take.number("max-groups", options.maxGroups, in: 1...10_000_000) {
            maximumGroups = groups
        }
        if let minutes = try take.number(
            "offsets-retention-minutes", options.offsetsRetentionMinutes, in: 1...100_000_000)
        {
            offsetRetentionMilliseconds = minutes * 60_000
        }
    }
}
