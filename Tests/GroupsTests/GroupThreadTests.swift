import Instruments
import KafkaWire
import Log
import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Synchronization
import Testing

@testable import Groups

/// With threads and a real clock, on a simulated disk.
@Suite struct GroupThreadTests {
    private let log: CommitLog
    private let groups: GroupCoordinator

    init() throws {
        let simulation = SimulatedMachine(seed: 1).machine
        let machine = Machine(
            files: simulation.files, clock: Machine.posix().clock, randomness: simulation.randomness)
        log = try CommitLog.open(
            directory: "/data", settings: LogSettings(), machine: machine, metadata: InMemoryMetadataStore())
        log.start()
        var settings = GroupSettings()
        settings.initialRebalanceDelayMilliseconds = 20
        settings.minimumSessionMilliseconds = 30
        settings.rewriteBytes = 20_000
        settings.rewriteIntervalMilliseconds = 10
        settings.expiryIntervalMilliseconds = 10
        groups = GroupCoordinator(log: log, settings: settings)
        groups.start()
    }

    private func join(_ group: String, _ memberID: String = "") -> GroupJoin {
        GroupJoin(
            groupID: group, member: GroupMemberIdentity(memberID: memberID),
            client: GroupClient(id: "c", host: "/h"), sessionMilliseconds: 30, rebalanceMilliseconds: 1_000,
            protocolType: "consumer", protocols: [GroupProtocol(name: "range", metadata: [])],
            requiresMemberID: false, supportsSkippingAssignment: false)
    }

    @Test func theTimersThreadKeepsTime() throws {
        let joined = Monitor<GroupJoinAnswer?>(nil)
        groups.join(join("g")) { answer in
            joined.withLock { $0 = answer }
            joined.wake()
        }
        #expect(joined.wait(timeoutNanoseconds: 20_000_000_000) { $0 }?.generation == 1)
        let never = Monitor(())
        for _ in 0..<400 where groups.describe(groupID: "g") != nil {
            _ = never.wait(timeoutNanoseconds: 50_000_000) { _ in nil as Void? }
        }
        #expect(groups.describe(groupID: "g") == nil, "its session was over, and the empty group is forgotten")
        groups.stop()
        log.close()
    }

    /// Everybody at once on a few groups, with rewritings and expiry beneath. Every request is answered, once.
    @Test func manyThreadsAtOnce() throws {
        let (asked, answered) = (Counter(), Counter())
        let largest = Mutex<[String: Int64]>([:])
        let groups = groups
        let work: @Sendable (Int) -> Void = { [self] number in
            for round in 0..<400 as Range<Int64> {
                let group = "g\((Int(round) + number) % 3)"
                asked.add()
                switch Int(round) % 8 {
                case 0: groups.join(join(group)) { _ in answered.add() }
                case 1: groups.deleteGroup("other\(number)") { _ in answered.add() }
                case 2: groups.commit(commit("other\(number)", round)) { _ in answered.add() }
                default:
                    let own = "own\(number)"
                    groups.commit(commit(own, round)) { errors in
                        answered.add()
                        if errors == [.none] { largest.withLock { $0[own] = max($0[own] ?? 0, round) } }
                    }
                }
                _ = groups.groups()
            }
        }
        let threads = (0..<4).map { number in WorkerThread(named: "client-\(number)") { work(number) } }
        for thread in threads { thread.join() }
        groups.stop()
        log.close()
        #expect(asked.value == 1_600)
        #expect(answered.value == 1_600)
        #expect(largest.withLock { $0.values.sorted() } == [399, 399, 399, 399])
    }

    private func commit(_ group: String, _ offset: Int64) -> GroupCommit {
        let place = GroupTopicPartition(topic: "t", partition: 0)
        return GroupCommit(groupID: group, offsets: [GroupCommit.Offset(place: place, offset: offset)])
    }
}
