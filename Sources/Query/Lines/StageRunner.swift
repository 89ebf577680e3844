internal import Telemetry

/// What the stages made of a line.
struct StagedLine {
    var line: [UInt8]
    var labels: RowLabels
}

/// Runs the stages of a pipeline that the source does not decide. For one thread.
final class StageRunner {
    init(_ stages: [LogStage]) throws(QueryError) {
        guard stages.isEmpty else { throw QueryError(.execution, "this stage is not served yet") }
    }

    /// What becomes of a line; nil if it is dropped.
    func run(
        _ line: UnsafeRawBufferPointer, time: Int64, stream: StreamLabels, metadata: StreamLabels
    ) -> StagedLine? {
        StagedLine(
            line: Array(line),
            labels: RowLabels(stream: stream, metadata: metadata, parsed: StreamLabels([])))
    }

    /// Whether everything ran to its end.
    func check() throws(QueryError) {}
}
