/// Points in the order of series and then of time, in batches: of a block, of a head, or of several of them merged.
/// One thread at a time.
public protocol PointStream: AnyObject {
    /// The next points, or nil behind the last. A batch is never empty. All batches have the same columns; the runs'
    /// series ascend over all batches, and within a series the times ascend strictly (or, of a stream that runs
    /// backwards, descend strictly).
    func next() throws(SeriesError) -> PointBatch?
    /// What reading has cost so far.
    var cost: ScanCost { get }
}
