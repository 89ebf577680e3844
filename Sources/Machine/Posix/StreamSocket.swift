import CMillrace
import Glibc

/// A connected, non-blocking stream socket that somebody else owns and closes: an event loop's.
///
/// Sends at once what the socket takes, without a queue. Whoever uses it makes sure that the owner has nothing queued
/// and has not closed the descriptor.
public struct StreamSocket: Sendable {
    private let descriptor: Int32

    /// The socket behind a descriptor.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Sends bytes.
    ///
    /// - Parameter more: whether more follows at once: the last bytes then wait to share a packet with it (MSG_MORE of
    ///   send(2)).
    /// - Returns: how many the socket took, 0 if its buffer is full; nil if the connection is broken.
    public func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> Int? {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        var done = 0
        while done < bytes.count {
            let count = Glibc.send(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done, flags)
            guard let count = progress(count) else { return nil }
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Sends a range of a file from the page cache (sendfile(2)).
    ///
    /// - Returns: how many bytes the socket took, fewer than asked if its buffer is full or the file ends before; nil
    ///   if the connection is broken or the file cannot be read.
    public func sendFile(_ file: Int32, _ range: Range<Int64>) -> Int? {
        var position = off_t(range.lowerBound)
        while position < range.upperBound {
            let count = sendfile(descriptor, file, &position, Int(range.upperBound - Int64(position)))
            guard let count = progress(count) else { return nil }
            if count == 0 { break }
        }
        return Int(Int64(position) - range.lowerBound)
    }

    /// While corked, only full packets leave (TCP_CORK of tcp(7)); uncorking sends the rest. Does nothing to a socket
    /// that is not TCP.
    public func cork(_ isCorked: Bool) {
        var value: Int32 = isCorked ? 1 : 0
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// What a call returned, with 0 for a full buffer and nil for an error; an interrupted call has taken nothing, and
    /// the caller tries again when the socket is writable.
    private func progress(_ count: Int) -> Int? {
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }
}
