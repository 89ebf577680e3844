import Log

/// Which group the timer has to visit when: a binary heap in which each group stands at most once.
struct GroupDeadlines: Sendable {
    private struct Entry: Sendable {
        var deadline: Int64
        let group: GroupHandle
    }

    private var heap: [Entry] = []
    private var places: [ObjectIdentifier: Int] = [:]

    var count: Int { heap.count }
    var first: Int64? { heap.first?.deadline }

    /// Visits `group` at `deadline`, instead of at another time.
    mutating func set(_ group: GroupHandle, _ deadline: Int64) {
        if let place = places[ObjectIdentifier(group)] {
            heap[place].deadline = deadline
            settle(place)
        } else {
            heap.append(Entry(deadline: deadline, group: group))
            places[ObjectIdentifier(group)] = heap.count - 1
            settle(heap.count - 1)
        }
    }

    mutating func remove(_ group: GroupHandle) {
        guard let place = places[ObjectIdentifier(group)] else { return }
        take(place)
    }

    /// Takes the first group out, if it is due.
    mutating func takeDue(now: Int64) -> GroupHandle? {
        guard let first = heap.first, first.deadline <= now else { return nil }
        take(0)
        return first.group
    }

    private mutating func take(_ place: Int) {
        swap(place, heap.count - 1)
        let removed = heap.removeLast()
        places[ObjectIdentifier(removed.group)] = nil
        if place < heap.count { settle(place) }
    }

    private mutating func settle(_ start: Int) {
        var place = start
        while place > 0, heap[place].deadline < heap[(place - 1) / 2].deadline {
            swap(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
                if heap[child].deadline < heap[least].deadline { least = child }
            }
            guard least != place else { return }
            swap(place, least)
            place = least
        }
    }

    private mutating func swap(_ one: Int, _ other: Int) {
        heap.swapAt(one, other)
        places[ObjectIdentifier(heap[one].group)] = one
        places[ObjectIdentifier(heap[other].group)] = other
    }
}
