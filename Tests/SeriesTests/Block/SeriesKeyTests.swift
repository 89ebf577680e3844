import Series
import Testing

@Suite struct SeriesKeyTests {
    private static let lists: [[(key: [UInt8], value: [UInt8])]] = [
        [],
        [([0], [0])],
        [([0], [0, 0])],
        [([0], [1])],
        [([1], [0])],
        [([1], [0]), ([2], [1])],
        [([1], [0, 1])],
        [([1], [1])],
        [([1], [2])],
        [([1, 0], [0])],
        [([97], [120])],
        [([97], [120]), ([98], [1])],
        [([97], [120, 121])],
        [([98], [1])],
    ]

    /// The lists above stand in the order of their (key, value) pairs, compared by bytes.
    @Test func keysSortAsTheirTags() {
        let keys = Self.lists.map { SeriesKey.encode($0) }
        for left in keys.indices {
            for right in keys.indices {
                #expect((SeriesKey.compare(keys[left], keys[right]) < 0) == (left < right), "\(left) \(right)")
            }
        }
    }

    @Test func keysGiveBackTheirTags() {
        for tags in Self.lists {
            let found = SeriesKey.encode(tags).withUnsafeBytes { SeriesKey.decode($0) }
            #expect(found.elementsEqual(tags) { $0.key == $1.key && $0.value == $1.value })
        }
    }

    @Test func aTagWithoutAValueIsNone() {
        #expect(SeriesKey.encode([(key: [1], value: [])]).isEmpty)
    }
}
