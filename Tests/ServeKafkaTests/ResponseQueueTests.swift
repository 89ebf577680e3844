import Testing

@testable import ServeKafka

/// Transcripts: what comes in, what goes out.
@Suite struct ResponseQueueTests {
    private typealias Queue = ResponseQueue<String>

    private func sent(_ queue: inout Queue) -> [String] {
        var sent: [String] = []
        while case .send(let response) = queue.next() { sent.append(response) }
        return sent
    }

    @Test func responsesLeaveInTheOrderOfTheRequests() {
        var queue = Queue(capacity: 10)
        let tickets = (0..<4).map { _ in queue.admit() }
        queue.answer(tickets[2], "2")
        #expect(sent(&queue) == [])
        queue.answer(tickets[0], "0")
        #expect(sent(&queue) == ["0"])
        queue.answer(tickets[3], "3")
        queue.answer(tickets[1], "1")
        #expect(sent(&queue) == ["1", "2", "3"])
        #expect(queue.inFlight == 0)
    }

    @Test func requestsWithoutResponseLeaveNoHole() {
        var queue = Queue(capacity: 10)
        let (first, silent, last) = (queue.admit(), queue.admit(), queue.admit())
        queue.answer(last, "last")
        queue.answer(silent, nil)
        #expect(sent(&queue) == [])
        queue.answer(first, "first")
        #expect(sent(&queue) == ["first", "last"])
    }

    @Test func theResponseThatIsNextNeedNotBeKept() {
        var queue = Queue(capacity: 10)
        let (first, second) = (queue.admit(), queue.admit())
        #expect(queue.isNext(first) && !queue.isNext(second))
        queue.answer(second, "second")
        queue.answer(first, nil)
        #expect(sent(&queue) == ["second"])
        #expect(queue.isNext(queue.admit()))
    }

    @Test func isFullAtItsCapacityUntilOneIsSent() {
        var queue = Queue(capacity: 2)
        let first = queue.admit()
        _ = queue.admit()
        #expect(queue.admission == .full)
        queue.answer(first, "first")
        #expect(queue.admission == .full)
        #expect(sent(&queue) == ["first"])
        #expect(queue.admission == .open)
    }

    @Test func anExclusiveRequestHoldsBackLaterOnes() {
        var queue = Queue(capacity: 10)
        let waiting = queue.admit()
        let exclusive = queue.admit()
        queue.makeExclusive(exclusive)
        #expect(queue.admission == .exclusive)
        queue.answer(waiting, "waiting")
        #expect(queue.admission == .exclusive)
        queue.answer(exclusive, "exclusive")
        #expect(queue.admission == .open)
        #expect(sent(&queue) == ["waiting", "exclusive"])
    }

    @Test func aPeerThatDoesNotReadIsNotRead() {
        var queue = Queue(capacity: 10)
        queue.writabilityChanged(false)
        #expect(queue.admission == .notWritable)
        queue.writabilityChanged(true)
        #expect(queue.admission == .open)
    }

    @Test func closesWhenTheLastResponseHasLeft() {
        var queue = Queue(capacity: 10)
        let ticket = queue.admit()
        queue.close()
        #expect(queue.admission == .closing)
        guard case .wait = queue.next() else { return #expect(Bool(false), "closed too early") }
        queue.answer(ticket, "last")
        guard case .send("last") = queue.next() else { return #expect(Bool(false), "lost a response") }
        guard case .close = queue.next() else { return #expect(Bool(false), "did not close") }
    }

    @Test func aSecondOrLateAnswerIsIgnored() {
        var queue = Queue(capacity: 10)
        let ticket = queue.admit()
        queue.answer(ticket, "first")
        queue.answer(ticket, "second")
        #expect(sent(&queue) == ["first"])
        queue.answer(ticket, "third")
        #expect(sent(&queue) == [])
        #expect(!queue.isWaiting(ticket))
    }

    /// A queue that never runs empty must not grow either.
    @Test func staysSmallOverManyRequests() {
        var queue = Queue(capacity: 8)
        var tickets = (0..<4).map { _ in queue.admit() }
        for number in 0..<10_000 {
            queue.answer(tickets.removeFirst(), "\(number)")
            #expect(sent(&queue) == ["\(number)"])
            tickets.append(queue.admit())
        }
        #expect(queue.inFlight == 4)
        #expect(queue.heldSlots < 200)
    }
}
