import Machine
import MillraceTesting
import Storage
import Testing

@Suite struct MetadataStoreConformanceTests {
    @Test(arguments: MetadataStoreConformance.Check.allCases)
    func inMemory(check: MetadataStoreConformance.Check) async throws {
        try await MetadataStoreConformance(InMemoryMetadataStore()).run(check)
    }

    @Test(arguments: MetadataStoreConformance.Check.allCases)
    func sqlite(check: MetadataStoreConformance.Check) async throws {
        let directory = try TemporaryDirectory("metadata")
        let store = try SQLiteMetadataStore(path: directory.path + "/meta.db", files: Machine.posix().files)
        try await MetadataStoreConformance(store).run(check)
    }
}
