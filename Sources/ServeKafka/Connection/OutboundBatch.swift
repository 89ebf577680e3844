import Bytes
import Log
import Machine
import NIOCore

/// The responses of one read cycle on their way out: bytes, and the ranges of files that belong between them.
///
/// However many responses a cycle has, they leave in one write, or in one write around each range of a file. The
/// buffers are reused.
struct OutboundBatch: ~Copyable {
    /// A range of a file, and how many of the writer's bytes go before it.
    private typealias Insert = (position: Int, slice: LogSlice)

    /// What a busy connection keeps: to allocate 37 KB for each response of a wide fetch costs a quarter of its CPU.
    private static let busyBytes = 64 << 10
    /// What stays with each of thousands of connections after their first Metadata: a hundred small responses.
    private static let idleBytes = 8 << 10

    private var writer = ByteWriter(capacity: 1_024)
    private var inserts: [Insert] = []
    private var seenGaps = 0
    /// The most bytes in memory since `rest` was called.
    private var mostBytes = 0

    /// The bytes that wait, those of file ranges included.
    private(set) var byteCount = 0

    /// The memory that stands ready for bytes.
    var capacity: Int { writer.capacity }

    /// Whether there is nothing to write.
    var isEmpty: Bool { byteCount == 0 }

    /// Adds a response.
    mutating func append(_ response: Response) {
        let before = writer.count
        response.encodeFrame(into: &writer)
        byteCount += writer.count - before
        guard case .fetch(_, let slices) = response.body else { return }
        let gaps = writer.gaps.dropFirst(seenGaps)
        seenGaps = writer.gaps.count
        for (gap, fetched) in zip(gaps.lazy.filter { $0.byteCount > 0 }, slices) {
            inserts.append((gap.position, fetched.slice))
            byteCount += fetched.slice.count
        }
    }

    /// Sends what the socket takes at once.
    ///
    /// - Returns: how many bytes of the batch it took; `forEachPiece` has the rest. Nil if the connection is broken.
    func send(through socket: StreamSocket) -> Int? {
        // The bytes behind a range of a file would be a packet of their own, which costs as much as sending 64 KB and
        // wakes the client for three bytes.
        let isCorked = inserts.count > 1 || inserts.last.map { $0.position < writer.count } ?? false
        if isCorked { socket.cork(true) }
        defer { if isCorked { socket.cork(false) } }
        var sent = 0
        for index in 0...inserts.count {
            let range = bytes(before: index)
            let count = writer.withUnsafeBytes { bytes in
                socket.send(UnsafeRawBufferPointer(rebasing: bytes[range]), more: index < inserts.count)
            }
            guard let count else { return nil }
            sent += count
            // A file without a descriptor, as a simulation has it, is sent through memory.
            guard count == range.count, index < inserts.count, let file = inserts[index].slice.file?.descriptor else {
                return sent
            }
            guard let count = socket.sendFile(file, inserts[index].slice.range) else { return nil }
            sent += count
            guard count == inserts[index].slice.count else { return sent }
        }
        return sent
    }

    /// Hands over what follows the first `sent` bytes, in order: bytes, and ranges of files.
    func forEachPiece(after sent: Int, _ write: (Piece) -> Void) {
        var skipped = sent
        for index in 0...inserts.count {
            let range = bytes(before: index).dropFirst(skipped)
            skipped -= min(skipped, bytes(before: index).count)
            if !range.isEmpty { write(.bytes(writer.withUnsafeBytes { ByteBuffer(bytes: $0[range]) })) }
            guard index < inserts.count else { return }
            let slice = inserts[index].slice
            if skipped < slice.count { write(.slice(slice.dropFirst(skipped))) }
            skipped -= min(skipped, slice.count)
        }
    }

    /// To be called about once a second: gives back the memory that was not needed since the last time.
    mutating func rest() {
        if isEmpty, mostBytes <= Self.idleBytes { writer.removeAll(keepingAtMost: Self.idleBytes) }
        mostBytes = 0
    }

    /// Forgets everything, and keeps the memory unless it is large.
    mutating func removeAll() {
        mostBytes = max(mostBytes, writer.count)
        writer.removeAll(keepingAtMost: Self.busyBytes)
        inserts.removeAll(keepingCapacity: inserts.count <= 64)
        seenGaps = 0
        byteCount = 0
    }

    /// Something to write.
    enum Piece {
        case bytes(ByteBuffer)
        case slice(LogSlice)
    }

    /// The bytes between two ranges of files.
    private func bytes(before index: Int) -> Range<Int> {
        let start = index == 0 ? 0 : inserts[index - 1].position
        return start..<(index < inserts.count ? inserts[index].position : writer.count)
    }
}
