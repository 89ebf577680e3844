import Machine
import MillraceTesting
import SimulatedMachine
import Storage
import Testing

@Suite struct SimulatedMetadataStoreTests {
    private let put = [MetadataChange.put(key: "a", value: [1], expected: nil)]

    @Test(arguments: MetadataStoreConformance.Check.allCases.filter { $0 != .closing })
    func conforms(check: MetadataStoreConformance.Check) async throws {
        let store = SimulatedMetadataStore(InMemoryMetadataStore(), on: SimulatedMachine(seed: 1))
        try await MetadataStoreConformance(store).run(check)
    }

    @Test func aFailedCommitHappenedOrNotAndIsTheLast() throws {
        var outcomes: Set<Int64> = []
        for seed: UInt64 in 0..<50 {
            let machine = SimulatedMachine(seed: seed)
            let content = InMemoryMetadataStore()
            let store = SimulatedMetadataStore(content, on: machine)
            machine.inject(SimulatedFault(.device, at: [.commit], .call(1)))
            for _ in 0..<2 {
                let error = #expect(throws: StorageError.self) { try store.commit(put) }
                #expect(error?.code == .device)
            }
            outcomes.insert(try content.revision())
        }
        #expect(outcomes == [0, 1])
    }

    @Test func aFullDiskCommitsNothing() throws {
        let machine = SimulatedMachine(seed: 1)
        let store = SimulatedMetadataStore(InMemoryMetadataStore(), on: machine)
        machine.inject(SimulatedFault(.noSpace, at: [.commit], .call(1)))
        let error = #expect(throws: StorageError.self) { try store.commit(put) }
        #expect(error?.code == .full)
        #expect(try store.revision() == 0)
        #expect(try store.commit(put) == 1)
    }

    @Test func aDeadProcessCommitsNothing() throws {
        let machine = SimulatedMachine(seed: 1)
        let content = InMemoryMetadataStore()
        let store = SimulatedMetadataStore(content, on: machine)
        machine.crash()
        #expect(throws: StorageError.self) { try store.commit(put) }
        #expect(throws: StorageError.self) { _ = try store.get("a") }
        #expect(try content.revision() == 0)
        #expect(try SimulatedMetadataStore(content, on: machine).commit(put) == 1)
    }
}
