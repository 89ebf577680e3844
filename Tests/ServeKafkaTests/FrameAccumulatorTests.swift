import NIOCore
import Testing

@testable import ServeKafka

@Suite struct FrameAccumulatorTests {
    private func frame(_ content: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(content.count))
        buffer.writeBytes(content)
        return buffer
    }

    private func bytes(_ step: FrameAccumulator.Step) -> [UInt8]? {
        guard case .frame(let buffer) = step else { return nil }
        return Array(buffer.readableBytesView)
    }

    @Test func takesFramesOutOfOneBuffer() {
        var frames = FrameAccumulator(maximumFrameBytes: 100)
        var received = frame([1, 2, 3, 4, 5, 6, 7, 8])
        received.writeImmutableBuffer(frame([9, 8, 7, 6, 5, 4, 3, 2, 1]))
        frames.append(received)
        #expect(bytes(frames.next()) == [1, 2, 3, 4, 5, 6, 7, 8])
        #expect(bytes(frames.next()) == [9, 8, 7, 6, 5, 4, 3, 2, 1])
        #expect(frames.next() == .needsMore(frameBytes: nil))
        #expect(frames.isEmpty)
    }

    /// Every way to cut two frames into two or three receptions, single bytes included.
    @Test(arguments: 1..<25)
    func gathersFramesThatSpanReceptions(partBytes: Int) {
        let contents: [[UInt8]] = [Array(10..<20), Array(100..<111)]
        let all = contents.flatMap { Array(frame($0).readableBytesView) }
        var frames = FrameAccumulator(maximumFrameBytes: 100)
        var found: [[UInt8]] = []
        for start in stride(from: 0, to: all.count, by: partBytes) {
            frames.append(ByteBuffer(bytes: all[start..<min(start + partBytes, all.count)]))
            while let content = bytes(frames.next()) { found.append(content) }
        }
        #expect(found == contents)
        #expect(frames.isEmpty)
    }

    @Test func keepsWhatArrivesWhileNobodyTakes() {
        var frames = FrameAccumulator(maximumFrameBytes: 100)
        for number in UInt8(0)..<3 { frames.append(frame(Array(repeating: number, count: 8))) }
        #expect(frames.heldBytes == 36)
        for number in UInt8(0)..<3 { #expect(bytes(frames.next()) == Array(repeating: number, count: 8)) }
    }

    @Test(arguments: [-1, 0, 7, 101, Int(Int32.max), Int(Int32.min)])
    func refusesSizesOutOfBounds(size: Int) {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(size))
        var whole = FrameAccumulator(maximumFrameBytes: 100)
        whole.append(buffer)
        #expect(whole.next() == .refused(announcedBytes: size))
        var parts = FrameAccumulator(maximumFrameBytes: 100)
        parts.append(buffer.readSlice(length: 3) ?? ByteBuffer())
        #expect(parts.next() == .needsMore(frameBytes: nil))
        parts.append(buffer)
        #expect(parts.next() == .refused(announcedBytes: size))
    }

    @Test func announcesTheSizeOfAFrameThatHasBegun() {
        var frames = FrameAccumulator(maximumFrameBytes: 1 << 20)
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(500_000))
        frames.append(buffer)
        #expect(frames.next() == .needsMore(frameBytes: 500_000))
        frames.append(ByteBuffer(repeating: 1, count: 499_999))
        #expect(frames.next() == .needsMore(frameBytes: 500_000))
        frames.append(ByteBuffer(repeating: 2, count: 1))
        #expect(bytes(frames.next())?.count == 500_000)
    }
}
