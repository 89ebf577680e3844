import Bytes
import Log
import Machine
import NIOCore

/// The responses of one read cycle on their way out: bytes, and the ranges of files that belong between them.
///
/// However many responses a cycle has, they leave in one write, or in one write around each range of a file.
///
/// The connections of an event loop share the memory for the bytes: a batch begins with the first response and ends
/// before the loop does anything else, so one buffer serves thousands of connections, whatever the size of their responses.
struct OutboundBatch: ~Copyable {
    /// A range of a file, and how many of the writer's bytes go before it.
    private typealias Insert = (position: Int, slice: LogSlice)

    /// The loop's buffer keeps its memory up to this size.
    private static let keptBytes = 256 << 10
    /// Smaller batches are corked. The bytes behind a range of a file would be a packet of their own, which costs as much
    /// as sending 64 KB and wakes the client for three bytes. With 1 MB the cork itself is dear: the client is woken at
    /// other times, and takes less at once (0.20 CPU-s/GB with it, 0.13 without).
    private static let corkedBytes = 256 << 10
    /// What a batch has of its own while it is empty.
    private static let ownBytes = 16

    private var writer = ByteWriter(capacity: Self.ownBytes)
    /// Whether `writer` is the loop's, which has this batch's own instead.
    private var hasSharedWriter = false
    private var inserts: [Insert] = []
    private var seenGaps = 0

    /// The bytes that wait, those of file ranges included.
    private(set) var byteCount = 0

    /// The memory that is held for bytes.
    var capacity: Int { writer.capacity }

    /// Whether there is nothing to write.
    var isEmpty: Bool { byteCount == 0 }

    /// Adds a response; the first takes the loop's buffer.
    mutating func append(_ response: Response, sharing shared: inout ByteWriter) {
        if !hasSharedWriter, writer.count == 0 {
            swap(&writer, &shared)
            hasSharedWriter = true
        }
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

    private var hasBytesBehindRange: Bool {
        inserts.count > 1 || inserts.last.map { $0.position < writer.count } ?? false
    }

    /// Sends what the socket takes at once.
    ///
    /// - Returns: how many bytes of the batch it took; `forEachPiece` has the rest. Nil if the connection is broken.
    func send(through socket: StreamSocket) -> Int? {
        let isCorked = byteCount < Self.corkedBytes && hasBytesBehindRange
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

    /// Forgets everything, and gives the loop its buffer back, empty.
    mutating func removeAll(sharing shared: inout ByteWriter) {
        writer.removeAll(keepingAtMost: Self.keptBytes)
        if hasSharedWriter { swap(&writer, &shared) }
        hasSharedWriter = false
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
