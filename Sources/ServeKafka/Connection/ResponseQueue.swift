/// The order and the bounds of one connection's requests: responses leave in the order in which requests came,
/// whichever is ready first.
///
/// A synchronous value: each input returns what to do next. It knows neither sockets nor time.
struct ResponseQueue<Response> {
    /// A request's place in the order.
    struct Ticket: Hashable, Sendable {
        fileprivate let sequence: UInt64
    }

    /// Whether the next request may be taken up.
    enum Admission: Equatable {
        /// Take it.
        case open
        /// As many requests as allowed are in flight.
        case full
        /// The peer does not read its responses.
        case notWritable
        /// A request that changes what later ones see is being worked on elsewhere.
        case exclusive
        /// No request is taken any more.
        case closing
    }

    /// What to do with the connection after an input.
    enum Action {
        /// Nothing: the response that must leave first is not ready.
        case wait
        /// Write this, then ask again.
        case send(Response)
        /// Every response has left and no request is taken any more: close.
        case close
    }

    private enum Slot {
        case waiting
        case ready(Response)
        /// Answered without a response (`acks=0`).
        case silent
    }

    /// The most requests in flight.
    let capacity: Int
    private var slots: [Slot] = []
    private var head = 0
    private var firstSequence: UInt64 = 0
    private var exclusive: Ticket?
    private var isWritable = true
    private var isClosing = false

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Requests taken and not yet answered.
    var inFlight: Int { slots.count - head }
    /// Slots in memory: those in flight, and those not yet reclaimed.
    var heldSlots: Int { slots.count }

    /// Whether the next request may be taken up.
    var admission: Admission {
        if isClosing { return .closing }
        if exclusive != nil { return .exclusive }
        if !isWritable { return .notWritable }
        return inFlight < capacity ? .open : .full
    }

    /// A request came.
    mutating func admit() -> Ticket {
        precondition(admission == .open, "a request was taken while \(admission)")
        let ticket = Ticket(sequence: firstSequence + UInt64(inFlight))
        slots.append(.waiting)
        return ticket
    }

    /// Takes up no later request before this one, the last that was admitted, is answered.
    mutating func makeExclusive(_ ticket: Ticket) {
        precondition(isWaiting(ticket) && exclusive == nil)
        exclusive = ticket
    }

    /// Whether the request still waits for its response.
    func isWaiting(_ ticket: Ticket) -> Bool {
        guard let index = index(of: ticket), case .waiting = slots[index] else { return false }
        return true
    }

    /// Whether the response to this request is the next one to leave: then it need not be kept here, but can be written
    /// at once, followed by `answer` with nil.
    func isNext(_ ticket: Ticket) -> Bool { ticket.sequence == firstSequence }

    /// A request is answered; nil if it gets no response, or if that is written already. A second answer is ignored.
    mutating func answer(_ ticket: Ticket, _ response: Response?) {
        guard let index = index(of: ticket), case .waiting = slots[index] else { return }
        slots[index] = response.map(Slot.ready) ?? .silent
        if exclusive == ticket { exclusive = nil }
    }

    /// The next thing to do. Ask until it says `wait` or `close`.
    mutating func next() -> Action {
        while head < slots.count {
            switch slots[head] {
            case .waiting: return .wait
            case .silent: dropFirst()
            case .ready(let response):
                dropFirst()
                return .send(response)
            }
        }
        return isClosing ? .close : .wait
    }

    /// The socket's send buffer filled up or drained.
    mutating func writabilityChanged(_ isWritable: Bool) {
        self.isWritable = isWritable
    }

    /// Takes no more requests; closes when the last response has left.
    mutating func close() {
        isClosing = true
    }

    private func index(of ticket: Ticket) -> Int? {
        guard ticket.sequence >= firstSequence else { return nil }
        let index = head + Int(ticket.sequence - firstSequence)
        return index < slots.count ? index : nil
    }

    private mutating func dropFirst() {
        slots[head] = .silent
        head += 1
        firstSequence += 1
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 64 && head * 2 >= slots.count {
            slots.removeFirst(head)
            head = 0
        }
    }
}
