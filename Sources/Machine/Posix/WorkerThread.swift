import Glibc
import Synchronization

/// A named thread of the operating system, for work that blocks on the disk. A simulation starts none.
public final class WorkerThread: Sendable {
    private let handle: Mutex<pthread_t?>

    /// Starts a thread that runs `body` once. The name is cut to the 15 bytes that Linux keeps.
    public init(named name: String, _ body: @escaping @Sendable () -> Void) {
        // Safe because the new thread takes over this one reference and releases it.
        let work = Unmanaged.passRetained(ThreadWork(String(name.utf8.prefix(15)) ?? name, body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                // Safe because `argument` is the reference retained above.
                let work = Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue()
                nameThisThread(work.name)
                work.body()
                return nil
            }, work.toOpaque())
        precondition(result == 0, "the system has no thread left")
        handle = Mutex(thread)
    }

    /// Waits until the body has returned.
    public func join() {
        let thread = handle.withLock { handle -> pthread_t? in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }
}

/// `pthread_setname_np` is hidden from Swift by its feature macro; this is the file that it writes. Naming is for
/// people who look at `top`, so failing is no matter.
private func nameThisThread(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY)
    guard descriptor >= 0 else { return }
    _ = write(descriptor, name, name.utf8.count)
    close(descriptor)
}

private final class ThreadWork: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
