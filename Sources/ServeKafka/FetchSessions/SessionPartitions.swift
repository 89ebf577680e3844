import KafkaWire

/// A topic as fetch requests name it: by name up to version 12, by id from 13 on. The other one is empty.
struct FetchedTopic: Hashable, Sendable {
    let name: String
    let id: Uuid
}

/// A partition of a fetch session.
struct SessionPartition: Sendable {
    let topic: FetchedTopic
    /// What the client asked last.
    var asked: FetchRequest.FetchPartition
    /// The high watermark that the client was told; -1 if it was told none, or an error.
    var toldHighWatermark: Int64 = -1
    /// The log's start that the client was told, or -1.
    var toldLogStartOffset: Int64 = -1
    /// The high watermark at the last reading, whether or not it was told.
    var seenHighWatermark: Int64 = -1
    /// The name that the topic's id stood for, once it stood for one.
    var topicName: String?

    init(_ topic: FetchedTopic, _ asked: FetchRequest.FetchPartition) {
        self.topic = topic
        self.asked = asked
    }
}

/// The partitions of a fetch session in the order in which they are served: a doubly linked list in an array, with an
/// index. Adding, finding, removing and moving to the end take constant time.
struct SessionPartitions: Sendable {
    /// A place in the array; valid until its partition is removed.
    typealias Place = Int32

    private struct Key: Hashable {
        let topic: FetchedTopic
        let partition: Int32
    }

    private struct Link {
        var value: SessionPartition
        var previous: Place
        var next: Place
    }

    private static let none: Place = -1
    /// A list of this length may be as sparse as it likes.
    private static let neverSparse = 64
    private var links: [Link] = []
    private var places: [Key: Place] = [:]
    /// The places of removed partitions, chained by `next`.
    private var free = Self.none
    private var first = Self.none
    private var last = Self.none

    /// The number of partitions.
    var count: Int { places.count }

    /// Where a partition is, or nil.
    func place(of topic: FetchedTopic, _ partition: Int32) -> Place? {
        places[Key(topic: topic, partition: partition)]
    }

    /// A partition in the list.
    subscript(place: Place) -> SessionPartition {
        get { links[Int(place)].value }
        _modify { yield &links[Int(place)].value }
    }

    /// Adds a partition at the end; it must not be there yet.
    mutating func append(_ partition: SessionPartition) {
        var place = Place(links.count)
        if free == Self.none {
            links.append(Link(value: partition, previous: Self.none, next: Self.none))
        } else {
            place = free
            free = links[Int(place)].next
            links[Int(place)].value = partition
        }
        let known = places.updateValue(place, forKey: Key(topic: partition.topic, partition: partition.asked.partition))
        precondition(known == nil, "the partition is there already")
        linkLast(place)
    }

    /// Removes a partition, if it is there.
    mutating func remove(_ topic: FetchedTopic, _ partition: Int32) {
        guard let place = places.removeValue(forKey: Key(topic: topic, partition: partition)) else { return }
        unlink(place)
        links[Int(place)].value.topicName = nil
        links[Int(place)].next = free
        free = place
    }

    /// Lets a partition be served after all others.
    mutating func moveToEnd(_ place: Place) {
        guard place != last else { return }
        unlink(place)
        linkLast(place)
    }

    /// Visits every partition in order.
    mutating func forEach(_ body: (Place, inout SessionPartition) -> Void) {
        var place = first
        while place != Self.none {
            let next = links[Int(place)].next
            body(place, &self[place])
            place = next
        }
    }

    /// Gives memory back if most of the list was removed: what is held is in proportion to what is counted. Places
    /// change.
    mutating func shrinkIfSparse() {
        guard links.count > Self.neverSparse, count < links.count / 4 else { return }
        var compact = SessionPartitions()
        forEach { compact.append($1) }
        self = compact
    }

    private mutating func linkLast(_ place: Place) {
        links[Int(place)].previous = last
        links[Int(place)].next = Self.none
        if last == Self.none { first = place } else { links[Int(last)].next = place }
        last = place
    }

    private mutating func unlink(_ place: Place) {
        let (previous, next) = (links[Int(place)].previous, links[Int(place)].next)
        if previous == Self.none { first = next } else { links[Int(previous)].next = next }
        if next == Self.none { last = previous } else { links[Int(next)].previous = previous }
    }
}
