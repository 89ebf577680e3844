import Synchronization

/// The configs of a topic as its partitions go by them, changed while they work.
///
/// A field is an atomic of its own: an append reads twelve plain words, takes no lock and allocates nothing. While a
/// change is being stored a reader may see some new fields and some old ones, which is harmless: no config depends on
/// another.
final class LiveConfiguration: Sendable {
    private let retentionMilliseconds: Atomic<Int64>
    private let retentionBytes: Atomic<Int64>
    private let retentionDiskPercent: Atomic<Int32>
    private let segmentBytes: Atomic<Int64>
    private let segmentMilliseconds: Atomic<Int64>
    private let maximumMessageBytes: Atomic<Int32>
    private let indexIntervalBytes: Atomic<Int32>
    private let logAppendTime: Atomic<Bool>
    private let flushMilliseconds: Atomic<Int64>
    private let timestampAfterMaximumMilliseconds: Atomic<Int64>
    private let view: Atomic<TopicView>
    private let isDurable: Atomic<Bool>

    init(_ configuration: TopicConfiguration) {
        retentionMilliseconds = Atomic(configuration.retentionMilliseconds)
        retentionBytes = Atomic(configuration.retentionBytes)
        retentionDiskPercent = Atomic(configuration.retentionDiskPercent)
        segmentBytes = Atomic(configuration.segmentBytes)
        segmentMilliseconds = Atomic(configuration.segmentMilliseconds)
        maximumMessageBytes = Atomic(configuration.maximumMessageBytes)
        indexIntervalBytes = Atomic(configuration.indexIntervalBytes)
        logAppendTime = Atomic(configuration.logAppendTime)
        flushMilliseconds = Atomic(configuration.flushMilliseconds)
        timestampAfterMaximumMilliseconds = Atomic(configuration.timestampAfterMaximumMilliseconds)
        view = Atomic(configuration.view)
        isDurable = Atomic(configuration.isDurable)
    }

    /// The configs as they are now. Appends that have begun may still go by the ones before.
    var value: TopicConfiguration {
        get {
            var value = TopicConfiguration()
            value.retentionMilliseconds = retentionMilliseconds.load(ordering: .relaxed)
            value.retentionBytes = retentionBytes.load(ordering: .relaxed)
            value.retentionDiskPercent = retentionDiskPercent.load(ordering: .relaxed)
            value.segmentBytes = segmentBytes.load(ordering: .relaxed)
            value.segmentMilliseconds = segmentMilliseconds.load(ordering: .relaxed)
            value.maximumMessageBytes = maximumMessageBytes.load(ordering: .relaxed)
            value.indexIntervalBytes = indexIntervalBytes.load(ordering: .relaxed)
            value.logAppendTime = logAppendTime.load(ordering: .relaxed)
            value.flushMilliseconds = flushMilliseconds.load(ordering: .relaxed)
            value.timestampAfterMaximumMilliseconds = timestampAfterMaximumMilliseconds.load(ordering: .relaxed)
            value.view = view.load(ordering: .relaxed)
            value.isDurable = isDurable.load(ordering: .relaxed)
            return value
        }
        set {
            retentionMilliseconds.store(newValue.retentionMilliseconds, ordering: .relaxed)
            retentionBytes.store(newValue.retentionBytes, ordering: .relaxed)
            retentionDiskPercent.store(newValue.retentionDiskPercent, ordering: .relaxed)
            segmentBytes.store(newValue.segmentBytes, ordering: .relaxed)
            segmentMilliseconds.store(newValue.segmentMilliseconds, ordering: .relaxed)
            maximumMessageBytes.store(newValue.maximumMessageBytes, ordering: .relaxed)
            indexIntervalBytes.store(newValue.indexIntervalBytes, ordering: .relaxed)
            logAppendTime.store(newValue.logAppendTime, ordering: .relaxed)
            flushMilliseconds.store(newValue.flushMilliseconds, ordering: .relaxed)
            timestampAfterMaximumMilliseconds.store(newValue.timestampAfterMaximumMilliseconds, ordering: .relaxed)
            view.store(newValue.view, ordering: .relaxed)
            isDurable.store(newValue.isDurable, ordering: .relaxed)
        }
    }
}
