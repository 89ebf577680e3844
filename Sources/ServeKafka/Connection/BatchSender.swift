import Instruments
import Log
import Machine
import NIOCore

/// Writes what a connection's socket did not take at once to its channel, which waits until the socket is writable,
/// and keeps the files of the slices open until they are sent.
final class BatchSender {
    private typealias Loan = (slice: LogSlice, handle: NIOFileHandle)

    private var loans: [Loan] = []
    private var last: IOData?
    private var failure: (any Error)?
    /// Flushes that are not sent whole.
    private var outstanding = 0
    /// Bytes written since the last flush.
    private var writtenBytes = 0
    private let unsentBytes: GaugeCell

    init(unsentBytes: GaugeCell) {
        self.unsentBytes = unsentBytes
    }

    /// Whether the channel has sent everything: then bytes may go to the socket directly without overtaking any.
    var isIdle: Bool { outstanding == 0 }

    /// Writes one piece, without flushing.
    func write(_ piece: OutboundBatch.Piece, _ context: ChannelHandlerContext) {
        switch piece {
        case .bytes(let buffer): write(.byteBuffer(buffer), context)
        case .slice(let slice): write(slice, context)
        }
    }

    /// Sends everything. Once the last byte has left, or the channel has failed, the files are let go.
    ///
    /// - Throws: why a piece could not be written. The size of its response is out already: only closing tells the
    ///   client.
    func flush(_ context: ChannelHandlerContext) throws {
        let (lent, byteCount) = (loans, Int64(writtenBytes))
        loans = []
        writtenBytes = 0
        if let failure {
            Self.giveBack(lent)
            throw failure
        }
        guard let last else { return }
        // Before it is written: the channel may become writable within, which works on further requests and flushes.
        self.last = nil
        outstanding += 1
        unsentBytes.add(byteCount)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            outstanding -= 1
            unsentBytes.add(-byteCount)
            Self.giveBack(lent)
        }
        context.writeAndFlush(NIOAny(last), promise: sent)
    }

    /// The descriptor stays the slice's file's: the handle only lends it to `sendfile`.
    private static func giveBack(_ loans: [Loan]) {
        for (_, handle) in loans { _ = try? handle.takeDescriptorOwnership() }
    }

    private func write(_ data: IOData, _ context: ChannelHandlerContext) {
        writtenBytes += data.readableBytes
        if let last { context.write(NIOAny(last), promise: nil) }
        last = data
    }

    private func write(_ slice: LogSlice, _ context: ChannelHandlerContext) {
        guard let descriptor = slice.file?.descriptor else { return writeCopy(of: slice, context) }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        loans.append((slice, handle))
        let (start, end) = (Int(slice.range.lowerBound), Int(slice.range.upperBound))
        write(.fileRegion(FileRegion(fileHandle: handle, readerIndex: start, endIndex: end)), context)
    }

    /// A file without a descriptor, as a simulation has it, is sent through memory.
    private func writeCopy(of slice: LogSlice, _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: slice.count)
        do {
            _ = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: slice.count) { bytes in
                try slice.read(into: bytes)
            }
            write(.byteBuffer(buffer), context)
        } catch {
            failure = error
        }
    }
}
