internal import Telemetry

/// Runs the stages of a pipeline that the source does not decide. For one thread.
final class StageRunner {
    private let runner: LineRunner
    private let isEmpty: Bool
    private var stream: StreamLabels?

    /// - Parameters:
    ///   - unwrap: what samples are made of.
    ///   - wanted: the labels that are asked for.
    init(
        _ stages: [LogStage], unwrap: Unwrap? = nil, wanted: LinePipeline.Wanted = .all
    ) throws(QueryError) {
        let pipeline = try LinePipeline(stages, unwrap: unwrap, wanted: wanted)
        runner = pipeline.runner()
        isEmpty = stages.isEmpty && unwrap == nil
    }

    /// Whether a line comes through; then the rest tells what became of it, until the next call.
    func run(
        _ line: UnsafeRawBufferPointer, time: Int64, stream: StreamLabels, metadata: StreamLabels
    ) -> Bool {
        if self.stream != stream {
            runner.begin(stream)
            self.stream = stream
        }
        return runner.process(line, time: time, metadata: metadata.labels)
    }

    /// The line that came through, in memory that lasts as long as the one that went in.
    var line: UnsafeRawBufferPointer { runner.line }
    /// Its sample.
    var sample: Double? { runner.sample }
    /// Its labels.
    var labels: LineLabels { runner.labels }

    /// Its labels by their origins.
    var rowLabels: RowLabels {
        RowLabels(
            stream: StreamLabels(runner.labels.labels(from: .stream)),
            metadata: StreamLabels(runner.labels.labels(from: .metadata)),
            parsed: StreamLabels(runner.labels.labels(from: .parsed)))
    }

    /// - Throws: if a regular expression gave up on a line.
    func check() throws(QueryError) {
        if let exhaustion = runner.exhaustion { throw exhaustion }
    }
}
