import Synchronization

/// Bounds how many segments have descriptors and maps open. Which one goes is decided by a second chance for whatever
/// was used since the hand passed last, which is close to least recently used and costs one store per use.
final class OpenSegments: Sendable {
    private struct Ring: Sendable {
        var segments: [Segment] = []
        var hand = 0
    }

    /// The most segments that stay open; unsynced ones do not count.
    let limit: Int
    private let ring = Mutex(Ring())

    init(limit: Int) {
        self.limit = max(limit, 1)
    }

    var count: Int { ring.withLock { $0.segments.count } }

    /// Notes that a segment was opened, and closes another one if there are too many.
    func opened(_ segment: Segment) {
        let victims = ring.withLock { ring -> [Segment] in
            ring.segments.append(segment)
            return takeVictims(from: &ring)
        }
        for victim in victims { victim.closeFiles() }
    }

    /// Closes what is too much, now that a sync may have released some.
    func trim() {
        let victims = ring.withLock { ring in
            ring.segments.count > limit ? takeVictims(from: &ring) : []
        }
        for victim in victims { victim.closeFiles() }
    }

    /// Forgets a segment that was closed or removed.
    func closed(_ segment: Segment) {
        ring.withLock { ring in
            guard let index = ring.segments.firstIndex(where: { $0 === segment }) else { return }
            ring.segments.remove(at: index)
            if ring.hand > index { ring.hand -= 1 }
        }
    }

    private func takeVictims(from ring: inout Ring) -> [Segment] {
        var victims: [Segment] = []
        var chances = 2 * ring.segments.count
        while ring.segments.count > limit, chances > 0 {
            chances -= 1
            if ring.hand >= ring.segments.count { ring.hand = 0 }
            let candidate = ring.segments[ring.hand]
            if candidate.isUnsynced || candidate.takeChance() {
                ring.hand += 1
            } else {
                victims.append(ring.segments.remove(at: ring.hand))
            }
        }
        return victims
    }
}
