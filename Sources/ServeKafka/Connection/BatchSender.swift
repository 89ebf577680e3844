import Log
import Machine
import NIOCore

/// Writes the pieces of one batch to the channel, and keeps the files of its slices open until they are sent.
final class BatchSender {
    private let context: ChannelHandlerContext
    private var held: [(slice: LogSlice, handle: NIOFileHandle)] = []
    private var last: IOData?
    /// Why a piece could not be written. Its response's size is out already: only closing tells the client.
    private(set) var failure: (any Error)?

    init(context: ChannelHandlerContext) {
        self.context = context
    }

    /// Writes one piece, without flushing.
    func write(_ piece: OutboundBatch.Piece) {
        switch piece {
        case .bytes(let buffer): write(.byteBuffer(buffer))
        case .slice(let slice): write(slice)
        }
    }

    /// Sends everything. Once the last byte has left, or the channel has failed, the files are let go.
    func flush() {
        guard let last, failure == nil else { return }
        guard !held.isEmpty else { return context.writeAndFlush(NIOAny(last), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let held = NIOLoopBound(self.held, eventLoop: context.eventLoop)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            // The descriptor stays the slice's file's: the handle only lends it to `sendfile`.
            for (_, handle) in held.value { _ = try? handle.takeDescriptorOwnership() }
        }
        context.writeAndFlush(NIOAny(last), promise: promise)
    }

    private func write(_ data: IOData) {
        if let last { context.write(NIOAny(last), promise: nil) }
        last = data
    }

    private func write(_ slice: LogSlice) {
        guard let descriptor = slice.file?.descriptor else { return writeCopy(of: slice) }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        held.append((slice, handle))
        let (start, end) = (Int(slice.range.lowerBound), Int(slice.range.upperBound))
        write(.fileRegion(FileRegion(fileHandle: handle, readerIndex: start, endIndex: end)))
    }

    /// A file without a descriptor, as a simulation has it, is sent through memory.
    private func writeCopy(of slice: LogSlice) {
        var buffer = context.channel.allocator.buffer(capacity: slice.count)
        do {
            _ = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: slice.count) { bytes in
                try slice.read(into: bytes)
            }
            write(.byteBuffer(buffer))
        } catch {
            failure = error
        }
    }
}
