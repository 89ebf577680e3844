public import Log

/// What a kind of view brings: its engines, and who reads them. `Views` does the rest.
public protocol ViewKind: Sendable {
    /// An engine for a partition's view, which is given its manifest next.
    func makeEngine(for topic: Topic, partition: Int32) throws(ViewError) -> any ViewEngine

    /// Readers of the partition use this engine from now on, instead of any earlier one. The engine has its manifest;
    /// what the log has beyond is still being applied.
    func publish(_ engine: any ViewEngine, for topic: Topic, partition: Int32)

    /// Readers no longer find the partition: its topic is gone, or has no view any more.
    func retire(_ topic: Topic, partition: Int32)
}
