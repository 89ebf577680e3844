import Log
import Machine
import NIOCore

/// Writes the pieces of a connection's batches to its channel, and keeps the files of their slices open until they
/// are sent.
final class BatchSender {
    private typealias Loan = (slice: LogSlice, handle: NIOFileHandle)

    private var loans: [Loan] = []
    private var last: IOData?
    private var failure: (any Error)?

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
        if let failure { throw failure }
        guard let last else { return }
        // Before it is written: the channel may become writable within, which works on further requests and flushes.
        self.last = nil
        guard !loans.isEmpty else { return context.writeAndFlush(NIOAny(last), promise: nil) }
        let options = context.channel.syncOptions
        cork(options, true)
        context.writeAndFlush(NIOAny(last), promise: nil)
        cork(options, false)
        returnLoans(context, options)
    }

    /// Bytes, a range of a file and bytes again are three system calls. Corked, they are no packets of their own: that
    /// would cost as much as sending 64 KB, and wake the client for 60 bytes. (A cork that stays, pushed by setting
    /// TCP_NODELAY, is no cheaper: NIO looks up the socket's address before it sets that.)
    private func cork(_ options: (any NIOSynchronousChannelOptions)?, _ isCorked: Bool) {
        try? options?.setOption(.tcpOption(Self.tcpCork), value: isCorked ? 1 : 0)
    }

    /// Linux's TCP_CORK (tcp(7)), which NIO does not name.
    private static let tcpCork = NIOBSDSocket.Option(rawValue: 3)

    /// Nearly always the socket takes everything at once; then there is no promise to make.
    private func returnLoans(_ context: ChannelHandlerContext, _ options: (any NIOSynchronousChannelOptions)?) {
        if (try? options?.getOption(.bufferedWritableBytes)) == 0 {
            Self.giveBack(loans)
            return loans.removeAll(keepingCapacity: loans.count <= 64)
        }
        let sent = context.eventLoop.makePromise(of: Void.self)
        let pending = NIOLoopBound(loans, eventLoop: context.eventLoop)
        sent.futureResult.whenComplete { _ in Self.giveBack(pending.value) }
        context.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer())), promise: sent)
        loans = []
    }

    /// The descriptor stays the slice's file's: the handle only lends it to `sendfile`.
    private static func giveBack(_ loans: [Loan]) {
        for (_, handle) in loans { _ = try? handle.takeDescriptorOwnership() }
    }

    private func write(_ data: IOData, _ context: ChannelHandlerContext) {
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
