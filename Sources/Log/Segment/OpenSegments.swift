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

    /// How far the hand goes for one opened segment. Whatever it does not find in so many steps, `trim` finds.
    private static let stepsPerOpening = 8

    /// Notes that a segment was opened, and closes another one if there are too many.
    func opened(_ segment: Segment) {
        let victims = ring.withLock { ring -> [Segment] in
            ring.segments.append(segment)
            return takeVictims(from: &ring, steps: Self.stepsPerOpening)
        }
        for victim in victims { victim.closeFiles() }
    }

    /// Closes what is too much, now that a sync may have released some.
    func trim() {
        let victims = ring.withLock { ring in
            ring.segments.count > limit ? takeVictims(from: &ring, steps: 2 * ring.segments.count) : []
        }
        for victim in victims { victim.closeFiles() }
    }

    /// Forgets a segment that was closed or removed.
    func closed(_ segment: Segment) {
        ring.withLock { ring in
            guard let index = ring.segments.firstIndex(where: { $0 === segment }) else { return }
            ring.segments.swapAt(index, ring.segments.count - 1)
            ring.segments.removeLast()
        }
    }

    private func takeVictims(from ring: inout Ring, steps: Int) -> [Segment] {
        var victims: [Segment] = []
        var steps = steps
        while ring.segments.count > limit, steps > 0 {
            steps -= 1
            if ring.hand >= ring.segments.count { ring.hand = 0 }
            let candidate = ring.segments[ring.hand]
            if candidate.isUnsynced || candidate.takeChance() {
                ring.hand += 1
            } else {
                // The last one takes its place, to be looked at next.
                ring.segments.swapAt(ring.hand, ring.segments.count - 1)
                victims.append(ring.segments.removeLast())
            }
        }
        return victims
    }
}
