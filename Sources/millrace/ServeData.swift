import Groups
import Log
import Logging
import Machine
import NIOPosix
import ServeKafka
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

    /// What the server was started with, and what was changed while it ran before.
    func openConfiguration(
        _ started: Configuration, _ metadata: any MetadataStore, _ logger: Logger
    ) async throws -> RunningConfiguration {
        do {
            return try await offLoops {
                Result { () throws(LogError) in try RunningConfiguration(started, metadata, logger) }
            }.get()
        } catch {
            throw ServeFailure.cannotOpen("cannot read the stored configuration in \(settings.data): \(error)")
        }
    }

    /// The log, recovered.
    func openLog(
        _ logSettings: LogSettings, _ metadata: any MetadataStore, _ logger: Logger
    ) async throws -> CommitLog {
        let opened = await offLoops {
            Result { () throws(LogError) in
                try CommitLog.open(
                    directory: absolutePath(settings.data), settings: logSettings, machine: machine, metadata: metadata
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

extension ServeSettings {
    /// Brings a running server to these settings, as far as they can change while it runs. May wait for the disk.
    func apply(
        to log: CommitLog, _ groups: GroupCoordinator, _ kafka: KafkaServer, _ level: LiveLogLevel, _ logger: Logger
    ) {
        do throws(LogError) {
            try log.change(self.log)
        } catch {
            logger.error("the log does not take changed settings", metadata: ["detail": "\(error)"])
        }
        groups.change(self.groups)
        kafka.change(self.kafka)
        level.value = logLevel
    }
}

/// Blocking work, on a thread that may block.
func offLoops<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        NIOThreadPool.singleton.submit { _ in continuation.resume(returning: work()) }
    }
}
