import Log
import Machine
import NIOCore

/// Writes the pieces of a connection's batches to its channel, and keeps the files of their slices open until they
/// are sent.
final class BatchSender {
    private typealias Loan = (slice: LogSlice, handle: NIOFileHandle)

    /// `TCP_CORK` of Linux.
    private static let corkOption: CInt = 3

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
        if let last {
            // A response with records is a few bytes, a range of a file, a few bytes: three calls, and without the cork
            // three packets, the first of which wakes the client for nothing. Measured: a quarter of the CPU of a 64 KB
            // fetch.
            if !loans.isEmpty { setCork(true, context) }
            context.writeAndFlush(NIOAny(last), promise: nil)
            if !loans.isEmpty { setCork(false, context) }
        }
        last = nil
        if !loans.isEmpty { returnLoans(context) }
        if let failure { throw failure }
    }

    /// Holds back incomplete packets (Linux `TCP_CORK`), or lets them go. Best effort: it only saves work.
    private func setCork(_ isOn: Bool, _ context: ChannelHandlerContext) {
        let cork = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: Self.corkOption))
        try? context.channel.syncOptions?.setOption(cork, value: isOn ? 1 : 0)
    }

    /// Nearly always the socket takes everything at once; then there is no promise to make.
    private func returnLoans(_ context: ChannelHandlerContext) {
        let buffered = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
        if buffered == 0 {
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
