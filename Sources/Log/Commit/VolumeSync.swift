import Machine
import Synchronization

/// Syncs of the whole volume (`syncfs`) while the log is open, by rounds and by whoever else needs one.
///
/// The kernel tells of a failure once, to one caller, and it concerns everything that was written by then, whether its
/// round has begun or not. So after a failure none is trusted until the next start: files are synced one by one, and
/// each tells of its own. Calls take turns, so that none can succeed past another one's failure.
final class VolumeSync: Sendable {
    private let context: LogContext
    private let turn = Mutex<Void>(())
    private let hasFailed = Atomic(false)

    init(_ context: LogContext) {
        self.context = context
    }

    /// Whether one has failed.
    var isInDoubt: Bool { hasFailed.load(ordering: .acquiring) }

    /// Makes everything durable that was written before the call.
    ///
    /// - Throws: what went wrong now, or that something did before.
    func synchronize() throws(MachineError) {
        try turn.withLock { _ throws(MachineError) in
            guard !isInDoubt else {
                throw MachineError(code: .device, operation: "trust a sync of the volume of", path: context.directory)
            }
            do throws(MachineError) {
                try context.files.synchronizeVolume(holding: context.directory)
            } catch {
                hasFailed.store(true, ordering: .releasing)
                context.report(
                    LogEvent(
                        severity: .warning, partition: "",
                        message:
                            "a sync of the volume failed; until the next start files are synced one by one: \(error)"))
                throw error
            }
        }
    }
}
