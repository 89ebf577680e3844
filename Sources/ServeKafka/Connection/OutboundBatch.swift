import Bytes
import Log
import NIOCore

/// The responses of one read cycle on their way out: bytes, and the ranges of files that belong between them.
///
/// However many responses a cycle has, they leave in one write, or in one write around each range of a file. The
/// buffers are reused once the channel has let them go.
struct OutboundBatch: ~Copyable {
    private var writer = ByteWriter(capacity: 1_024)
    private var slices: [LogSlice] = []
    private var buffer = ByteBuffer()

    /// The bytes that wait, those of file ranges included.
    private(set) var byteCount = 0

    /// Whether there is nothing to write.
    var isEmpty: Bool { byteCount == 0 }

    /// Adds a response.
    mutating func append(_ response: Response) {
        let before = writer.count
        response.encodeFrame(into: &writer)
        byteCount += writer.count - before
        guard case .fetch(_, let added) = response.body else { return }
        for fetched in added {
            slices.append(fetched.slice)
            byteCount += fetched.slice.count
        }
    }

    /// Hands everything over, in order, as what `write` gets: bytes, and slices of files.
    mutating func drain(_ write: (Piece) -> Void) {
        buffer.clear(minimumCapacity: writer.count)
        writer.withUnsafeBytes { _ = buffer.writeBytes($0) }
        var start = 0
        var filled = 0
        for gap in writer.gaps where gap.byteCount > 0 {
            emit(start..<gap.position, write)
            start = gap.position
            write(.slice(slices[filled]))
            filled += 1
        }
        emit(start..<writer.count, write)
        writer.removeAll(keepingAtMost: 64 << 10)
        slices.removeAll(keepingCapacity: slices.count <= 64)
        byteCount = 0
    }

    /// Lets a large buffer go, after the channel has taken its bytes.
    mutating func trim() {
        if buffer.capacity > 64 << 10 { buffer = ByteBuffer() }
    }

    /// Something to write.
    enum Piece {
        case bytes(ByteBuffer)
        case slice(LogSlice)
    }

    private func emit(_ range: Range<Int>, _ write: (Piece) -> Void) {
        guard !range.isEmpty, let bytes = buffer.getSlice(at: range.lowerBound, length: range.count) else { return }
        write(.bytes(bytes))
    }
}
