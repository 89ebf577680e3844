package import Log
import Machine
import SimulatedMachine
package import Storage
import Synchronization

/// A site with a backup, and the place where it is restored.
package struct BackupSite {
    package let site: Site

    package init(_ site: Site) { self.site = site }

    private var machine: Machine { site.simulation.machine }

    package func begin(
        _ place: String = "/backup", _ configure: (inout BackupSettings) -> Void = { _ in }
    ) throws -> Backup {
        var settings = BackupSettings()
        settings.programVersion = "0.1.0"
        configure(&settings)
        let metadata = site.metadata
        return try Backup(of: "/data", to: place, settings: settings, machine: machine) { () throws(StorageError) in
            try metadata.list(prefix: "")
        }
    }

    @discardableResult
    package func back(
        _ place: String = "/backup", _ configure: (inout BackupSettings) -> Void = { _ in }
    ) throws -> BackupReport {
        var backup = try begin(place, configure)
        while try backup.step() {}
        return backup.report
    }

    /// The restored log, and what opening it told.
    package func restore(_ place: String = "/backup", to directory: String = "/restored") throws -> Site {
        let restored = Site(self.site.simulation)
        var restore = try Restore(from: place, to: directory, machine: machine) { () throws(StorageError) in
            OpenStore(restored.metadata)
        }
        while try restore.step() {}
        return restored
    }

    package func open(_ restored: Site, _ directory: String = "/restored") throws -> CommitLog {
        try CommitLog.open(
            directory: directory, settings: LogSettings(), machine: machine, metadata: restored.metadata
        ) { event in restored.events.withLock { $0.append(event) } }
    }
}

/// A store that a restore closes, and that a test then opens.
package struct OpenStore: MetadataStore {
    private let store: InMemoryMetadataStore

    package init(_ store: InMemoryMetadataStore) { self.store = store }

    package func get(_ key: String) throws(StorageError) -> MetadataEntry? { try store.get(key) }
    package func list(prefix: String) throws(StorageError) -> [MetadataEntry] { try store.list(prefix: prefix) }
    package func commit(_ changes: [MetadataChange]) throws(StorageError) -> Int64 { try store.commit(changes) }
    package func revision() throws(StorageError) -> Int64 { try store.revision() }
    package func close() {}
}
