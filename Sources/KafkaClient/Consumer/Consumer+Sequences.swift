extension Consumer {
    /// The batches, as they come.
    public var batches: Batches { Batches(consumer: self) }

    /// The records, as they come.
    public var records: Records { Records(consumer: self) }

    /// A sequence of batches.
    public struct Batches: AsyncSequence, Sendable {
        let consumer: Consumer

        /// Starts reading where the consumer stands.
        public func makeAsyncIterator() -> Iterator { Iterator(consumer: consumer) }

        /// Reads batches.
        public struct Iterator: AsyncIteratorProtocol {
            let consumer: Consumer

            /// Waits for the next batch; nil at the end.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(KafkaClientError) -> ConsumedBatch? {
                try await consumer.nextBatch()
            }
        }
    }

    /// A sequence of records.
    public struct Records: AsyncSequence, Sendable {
        let consumer: Consumer

        /// Starts reading where the consumer stands.
        public func makeAsyncIterator() -> Iterator { Iterator(consumer: consumer) }

        /// Reads records.
        public struct Iterator: AsyncIteratorProtocol {
            let consumer: Consumer
            private var records: [ConsumedRecord] = []
            private var place = 0

            init(consumer: Consumer) { self.consumer = consumer }

            /// Waits for the next record; nil at the end.
            public mutating func next(
                isolation actor: isolated (any Actor)?
            ) async throws(KafkaClientError) -> ConsumedRecord? {
                while place == records.count {
                    guard let batch = try await consumer.nextBatch() else { return nil }
                    records = try batch.records()
                    place = 0
                }
                defer { place += 1 }
                return records[place]
            }
        }
    }
}
