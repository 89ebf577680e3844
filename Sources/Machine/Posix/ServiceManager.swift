import Glibc

/// The service manager that started this process and wants to be told how it is doing: systemd with `Type=notify`.
///
/// One datagram per state, to the socket that `NOTIFY_SOCKET` names (sd_notify(3) documents the protocol as stable, for
/// programs that do not link libsystemd). Telling never blocks and never fails the caller: nobody may be listening.
public struct ServiceManager: Sendable {
    private let socketPath: String

    /// The manager behind `NOTIFY_SOCKET`'s value; nil if there is none, or if the value is neither an absolute path nor
    /// an abstract name (`@…`), or is too long for a socket's address.
    public init?(socketPath: String?) {
        guard let socketPath, socketPath.hasPrefix("/") || socketPath.hasPrefix("@"), socketPath.utf8.count > 1,
            socketPath.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        self.socketPath = socketPath
    }

    /// Tells a state, such as `READY=1`; several are separated by line ends.
    ///
    /// - Returns: whether the manager's socket took it.
    @discardableResult
    public func tell(_ state: String) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // An abstract name begins with a zero byte and ends with its length.
        let name = Array((socketPath.hasPrefix("@") ? "\0" + socketPath.dropFirst() : socketPath).utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let addressBytes = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        let message = Array(state.utf8)
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0, addressBytes)
            }
        }
        return sent == message.count
    }
}
