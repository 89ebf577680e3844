/// Somebody who waits until appended records are synced.
public protocol SyncWaiter: AnyObject, Sendable {
    /// Called exactly once, from a flusher thread and outside every lock. Must return quickly: hand over, do not work.
    ///
    /// - Parameter error: nil if everything below the offset is synced; otherwise why it will not be.
    func synced(_ error: LogError?)
}

/// Somebody who waits until a partition has more to read.
public protocol ReadWaiter: AnyObject, Sendable {
    /// Called at most once, from a flusher thread and outside every lock: when the high watermark has passed the
    /// offset, and also when the partition is deleted or the log closes (the next read tells). Must return quickly.
    func readable()
}

/// A place in a partition's list of readers.
public struct ReadRegistration: Sendable {
    let identifier: UInt64
}
