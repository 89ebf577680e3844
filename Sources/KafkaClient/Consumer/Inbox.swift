/// What was fetched and not taken by the reader yet, in order, as a pure value.
///
/// The bound on its bytes is kept by `FetchState`, which asks for nothing while they are above it.
struct Inbox: Sendable {
    enum Item: Sendable {
        case batch(ConsumedBatch)
        case failure(KafkaClientError)
    }

    /// A reader that found nothing. Called once: with nil when it should look again.
    typealias Waiter = Completion<Void>

    private var items: [Item] = []
    private var head = 0
    private(set) var bufferedBytes = 0
    private var waiters: [Waiter] = []
    private var isClosed = false

    /// What a reader finds.
    enum Found: Sendable {
        case item(Item)
        /// Nothing will come any more.
        case over
        /// Nothing now: look again after this.
        case wait(Waiter)
    }

    /// Adds an item; returns the readers to wake, outside of the lock.
    mutating func append(_ item: Item) -> [Waiter] {
        guard !isClosed else { return [] }
        if case .batch(let batch) = item { bufferedBytes += batch.sizeBytes }
        items.append(item)
        return takeWaiters()
    }

    /// Takes the next item. `isOver` says whether more will ever come.
    mutating func take(isOver: Bool) -> Found {
        if head < items.count {
            let item = items[head]
            head += 1
            // Moving the rest down once half is gone costs each item one move.
            if head > 64, head * 2 > items.count {
                items.removeFirst(head)
                head = 0
            }
            if case .batch(let batch) = item { bufferedBytes -= batch.sizeBytes }
            return .item(item)
        }
        items.removeAll(keepingCapacity: true)
        head = 0
        guard !isClosed, !isOver else { return .over }
        let waiter = Waiter()
        waiters.append(waiter)
        return .wait(waiter)
    }

    /// Forgets what came for a partition, because the reader went elsewhere.
    mutating func forget(_ partition: TopicPartition) {
        items = items[head...].filter { item in
            guard case .batch(let batch) = item, batch.topicPartition == partition else { return true }
            bufferedBytes -= batch.sizeBytes
            return false
        }
        head = 0
    }

    /// Readers that wait, to be told that something changed.
    mutating func takeWaiters() -> [Waiter] {
        defer { waiters = [] }
        return waiters
    }

    /// Takes nothing more; behind what is there comes an error, once.
    mutating func end(with error: KafkaClientError) -> [Waiter] {
        let waiters = append(.failure(error))
        isClosed = true
        return waiters
    }

    /// Takes nothing more, and gives up what is there.
    mutating func close() -> [Waiter] {
        isClosed = true
        items = []
        head = 0
        bufferedBytes = 0
        return takeWaiters()
    }
}
