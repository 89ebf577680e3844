import Log
import Logging
import Machine
import NIOPosix
import Storage

/// Opens what stands in the data directory; what goes wrong becomes a `ServeFailure`.
struct ServeData: Sendable {
    let settings: ServeSettings
    let machine: Machine

    /// The metadata store, which is created if absent.
    func openMetadata() async throws -> SQLiteMetadataStore {
        do {
            try machine.files.createDirectory(settings.data)
            return try await offLoops {
                Result { () throws(StorageError) in
                    try SQLiteMetadataStore(path: settings.data + "/meta.db", files: machine.files)
                }
            }.get()
        } catch let error as StorageError where error.code == .busy {
            throw Self.locked(settings.data)
        } catch {
            throw ServeFailure.cannotOpen("cannot open the data directory \(settings.data): \(error)")
        }
    }

    /// The log, recovered.
    func openLog(_ metadata: any MetadataStore, _ logger: Logger) async throws -> CommitLog {
        let opened = await offLoops {
            Result { () throws(LogError) in
                try CommitLog.open(
                    directory: absolutePath(settings.data), settings: settings.log, machine: machine, metadata: metadata
                ) { event in
                    logger.log(
                        level: event.severity.level, "\(event.message)", metadata: ["partition": "\(event.partition)"])
                }
            }
        }
        do throws(LogError) {
            return try opened.get()
        } catch  where error.code == .locked {
            throw Self.locked(settings.data)
        } catch  where error.code == .formatTooNew {
            throw ServeFailure.cannotOpen("\(error.message): start the newer version, or choose another directory")
        } catch {
            throw ServeFailure.cannotOpen("cannot open the data directory \(settings.data): \(error)")
        }
    }

    private static func locked(_ data: String) -> ServeFailure {
        .locked("\(data) is open in another process: stop that one, or choose another directory with --data")
    }
}

/// Blocking work, on a thread that may block.
func offLoops<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        NIOThreadPool.singleton.submit { _ in continuation.resume(returning: work()) }
    }
}
