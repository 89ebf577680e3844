import Bytes
import KafkaWire
import Log
import Machine
import SimulatedMachine
import Synchronization
import Testing

@testable import View

@Suite struct PartitionViewTests {
    private func small() -> ViewSettings {
        var settings = ViewSettings()
        settings.cutBytes = 300
        settings.readBytes = 200
        settings.compactionMilliseconds = 5
        return settings
    }

    @Test func appliesWhatIsSyncedAndNothingElse() throws {
        let bench = try ViewBench()
        try bench.append(["a", "b"])
        bench.apply()
        #expect(bench.values == [])
        bench.flush()
        bench.apply()
        #expect(bench.values == ["a", "b"])
        #expect(bench.view.applied == 2)
        #expect(bench.view.covered == 0)
    }

    @Test func aRestartReplaysWhatNoManifestCovers() throws {
        let bench = try ViewBench(settings: small())
        for round in 0..<20 {
            try bench.append(["\(round)", "x\(round)"])
            bench.flush()
            bench.settle()
        }
        try bench.append(["last"])
        bench.flush()
        bench.apply()
        let values = bench.values
        #expect(values.count == 41)
        #expect(bench.view.covered > 0 && bench.view.covered < 41)
        try bench.restart()
        #expect(bench.values.count == Int(bench.view.covered))
        bench.apply()
        #expect(bench.values == values)
    }

    @Test func controlRecordsAreAppliedInOrderAndSurviveCompaction() throws {
        let bench = try ViewBench(settings: small())
        for round in 0..<12 {
            try bench.append(["a", "b\(round)"])
            bench.flush()
            bench.settle()
        }
        _ = try bench.partition.appendControl(key: ControlRecord.key, value: Array("a".utf8), durability: .now)
        try bench.append(["a"])
        bench.flush()
        bench.settle()
        #expect(bench.values.filter { $0 == "a" }.count == 1)
        for round in 0..<12 {
            try bench.append(["c\(round)"])
            bench.flush()
            bench.simulated.advance(milliseconds: 10)
            bench.settle()
        }
        try bench.restart()
        bench.settle()
        #expect(bench.values.filter { $0 == "a" }.count == 1)
        #expect(bench.values.count == 12 + 1 + 12)
    }

    @Test func clientsCannotAppendControlBatches() throws {
        let bench = try ViewBench()
        var builder = RecordBatchBuilder()
        builder.append(key: ControlRecord.key, value: [1], timestamp: 1)
        var writer = ByteWriter()
        var template = RecordBatchHeader()
        template.attributes = BatchAttributes(compression: .none, isControl: true)
        try builder.finish(into: &writer, template: template)
        let error = #expect(throws: LogError.self) {
            try writer.withUnsafeMutableBytes { try bench.partition.append($0, durability: .now) }
        }
        #expect(error?.code == .invalidRecord)
    }

    @Test func otherControlRecordsAreSkipped() throws {
        let bench = try ViewBench()
        // Kafka's commit marker: version 0, type 1.
        _ = try bench.partition.appendControl(key: [0, 0, 0, 1], value: Array("a".utf8), durability: .now)
        try bench.append(["a"])
        bench.flush()
        bench.apply()
        #expect(bench.values == ["a"])
        #expect(bench.view.applied == 2)
    }

    @Test func retentionKeepsWhatNoManifestCovers() throws {
        let bench = try ViewBench(
            settings: small(), configs: ["retention.ms": "1", "segment.bytes": "100", "flush.ms": "0"])
        for round in 0..<10 { try bench.append(["\(round)"]) }
        bench.flush()
        bench.simulated.advance(milliseconds: 100_000)
        bench.log.enforceRetention()
        #expect(bench.partition.logStartOffset == 0)
        bench.settle()
        let covered = bench.view.covered
        #expect(covered > 0)
        bench.log.enforceRetention()
        #expect(bench.partition.logStartOffset > 0)
        #expect(bench.partition.logStartOffset <= covered)
        try bench.restart()
        bench.apply()
        #expect(bench.values == (0..<10).map(String.init))
    }

    @Test func recordsAreNotDeletedBeforeTheViewHasThem() throws {
        let bench = try ViewBench(settings: small())
        for round in 0..<10 { try bench.append(["\(round)"]) }
        bench.flush()
        guard case .failure(let error) = bench.log.deleteRecords([(bench.partition, 5)])[0] else {
            Issue.record("deleted what is held")
            return
        }
        #expect(error.code == .viewBehind)
        #expect(try bench.log.deleteRecords([(bench.partition, -1)])[0].get() == 0)
        bench.settle()
        let covered = bench.view.covered
        #expect(try bench.log.deleteRecords([(bench.partition, -1)])[0].get() == covered)
        #expect(covered > 0)
    }

    @Test func appendsAreRefusedWhileTheViewIsTooFarBehind() throws {
        var settings = small()
        settings.holdBytes = 1_000
        let bench = try ViewBench(settings: settings)
        bench.view.pause()
        let error = #expect(throws: LogError.self) {
            while true { try bench.append([String(repeating: "x", count: 100)]) }
        }
        #expect(error?.code == .viewBehind)
        #expect(bench.partition.heldBytes >= 1_000 && bench.partition.heldBytes < 1_200)
        bench.flush()
        bench.view.resume()
        bench.settle()
        #expect(bench.partition.heldBytes < 1_000)
        try bench.append(["goes on"])
    }

    @Test func theLogResumesWhereAManifestEnds() throws {
        let bench = try ViewBench(settings: small())
        for round in 0..<10 { try bench.append(["\(round)"]) }
        bench.flush()
        bench.settle()
        let covered = bench.view.covered
        bench.view.close()
        bench.log.close()
        // A disk that lost the log, but not the view.
        try bench.simulated.machine.files.remove("/data/log/\(ViewBench.topicName)/0")
        try bench.simulated.machine.files.remove("/data/checkpoint")
        try bench.reopen()
        #expect(bench.partition.logEndOffset == covered)
        let result = try bench.append(["new"])
        #expect(result.baseOffset == covered)
        bench.flush()
        bench.apply()
        #expect(bench.values == (0..<Int(covered)).map(String.init) + ["new"])
        try bench.restart()
        bench.apply()
        #expect(bench.values.last == "new")
    }

    @Test func rejectionsAreToldToThoseWhoWait() throws {
        let bench = try ViewBench()
        let told = Told()
        let result = try bench.append(["a", "bad", "b"])
        bench.view.notifyWhenApplied(result.baseOffset..<result.endOffset, timeoutMilliseconds: 1_000) { told.note($0) }
        bench.flush()
        bench.apply()
        #expect(told.outcomes.map { $0?.rejections.map(\.offset) } == [[1]])
        // And later, from what is kept.
        bench.view.notifyWhenApplied(0..<3, timeoutMilliseconds: 1_000) { told.note($0) }
        #expect(told.outcomes.last??.rejections.map(\.reason) == ["refused"])
        #expect(told.outcomes.last??.isWhole == true)
    }

    @Test func whoeverWaitsTooLongIsTold() throws {
        let bench = try ViewBench()
        let told = Told()
        bench.view.notifyWhenApplied(0..<1, timeoutMilliseconds: 50) { told.note($0) }
        #expect(bench.view.expireWaiters() != nil)
        bench.simulated.advance(milliseconds: 51)
        #expect(bench.view.expireWaiters() == nil)
        #expect(told.codes == [.timedOut])
        bench.view.notifyWhenApplied(0..<1, timeoutMilliseconds: 50) { told.note($0) }
        bench.view.close()
        #expect(told.codes == [.timedOut, .closed])
    }

    @Test func aBatchThatDoesNotDecodeIsRejectedAndTheRestGoesOn() throws {
        let bench = try ViewBench()
        var builder = RecordBatchBuilder()
        builder.append(key: nil, value: Array("hidden".utf8), timestamp: 1)
        var writer = ByteWriter()
        try builder.finish(into: &writer)
        try writer.withUnsafeMutableBytes { bytes in
            bytes[RecordBatchHeader.byteCount] = 0x7E
            let checked = UnsafeRawBufferPointer(rebasing: bytes[21...])
            bytes.storeBytes(of: CRC32C.checksum(checked).bigEndian, toByteOffset: 17, as: UInt32.self)
            _ = try bench.partition.append(bytes, durability: .now)
        }
        try bench.append(["a"])
        bench.flush()
        bench.apply()
        #expect(bench.values == ["a"])
        #expect(bench.view.core.withLock { $0.figures.rejections } == 1)
    }

    @Test func aFullDiskDelaysACommitAndLosesNothing() throws {
        let bench = try ViewBench(settings: small())
        for round in 0..<10 { try bench.append(["\(round)"]) }
        bench.flush()
        bench.apply()
        bench.simulated.inject(SimulatedFault(.noSpace, at: [.write, .open, .link], path: "/views/", .from(1)))
        bench.settle()
        #expect(bench.view.covered == 0)
        #expect(bench.view.core.withLock { $0.state.stall } != nil)
        bench.simulated.clearFaults()
        bench.simulated.advance(milliseconds: 2_000)
        bench.settle()
        #expect(bench.view.covered > 0)
        #expect(bench.view.core.withLock { $0.state.stall } == nil)
        try bench.restart()
        bench.apply()
        #expect(bench.values == (0..<10).map(String.init))
    }
}
