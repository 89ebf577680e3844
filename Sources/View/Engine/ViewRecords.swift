public import KafkaWire

/// The records of one batch, as a view is fed them. Valid during the call that it is passed to.
public struct ViewRecords: ~Copyable {
    /// When the batch was appended, in milliseconds: the view's "now".
    public let appendTimeMilliseconds: Int64
    /// Whether these are control records of Millrace's own; clients cannot write them.
    public let isControl: Bool
    /// The records, in order.
    public let records: [RecordView]

    /// Assembles the records of a batch. The views' bytes must stay valid as long as this value lives.
    public init(appendTimeMilliseconds: Int64, isControl: Bool, records: [RecordView]) {
        self.appendTimeMilliseconds = appendTimeMilliseconds
        self.isControl = isControl
        self.records = records
    }
}
