/// Finds the slots of any text: what is quoted, what follows an equals sign, and words with digits in them. Other words
/// stay literal.
struct TextSplitter {
    private let classes = Token.classes

    /// The slots of a whole line: a JSON object's, or any text's.
    func splitLine(_ base: UnsafeRawPointer, _ text: TextRange, into slots: inout SlotBuffer) {
        slots.removeAll()
        if text.count >= 2, base.load(fromByteOffset: Int(text.start), as: UInt8.self) == UInt8(ascii: "{") {
            if JSONSplitter.split(base, text, into: &slots) { return }
            slots.removeAll()
        }
        splitText(base, text, into: &slots)
    }

    /// The slots of any text.
    func split(_ base: UnsafeRawPointer, _ text: TextRange, into slots: inout SlotBuffer) {
        slots.removeAll()
        splitText(base, text, into: &slots)
    }

    private func splitText(_ base: UnsafeRawPointer, _ text: TextRange, into slots: inout SlotBuffer) {
        var place = Int(text.start)
        let end = Int(text.end)
        classes.withUnsafeBufferPointer { classes in
            while place < end {
                if slots.isFull { return slots.appendRest(place, end) }
                let byte = base.load(fromByteOffset: place, as: UInt8.self)
                if classes[Int(byte)] != 0 {
                    place = word(base, place, end, classes, &slots)
                } else if byte == UInt8(ascii: "\"") {
                    place = quoted(base, place, end, &slots)
                } else if byte == UInt8(ascii: "="), place > Int(text.start) {
                    place = assigned(base, place &+ 1, end, &slots)
                } else {
                    place &+= 1
                }
            }
        }
    }

    /// A quote: its content is a slot if it is closed.
    private func quoted(_ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ slots: inout SlotBuffer) -> Int {
        var place = start &+ 1
        while place < end {
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            if byte == UInt8(ascii: "\"") {
                slots.append(start &+ 1, place)
                return place &+ 1
            }
            place &+= byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return start &+ 1
    }

    /// Behind an equals sign: everything up to a space is a slot, unless it is quoted.
    private func assigned(_ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ slots: inout SlotBuffer) -> Int {
        var place = start
        while place < end {
            let byte = base.load(fromByteOffset: place, as: UInt8.self)
            if byte <= 0x20 || byte == UInt8(ascii: "\"") { break }
            place &+= 1
        }
        if place > start { slots.append(start, place) }
        return place
    }

    /// A word: without digits it is literal. Of letters and then digits, and of digits and then a unit, the digits are
    /// the slot; `T` and `Z` between digits part them, as in times. Everything else is a slot as a whole.
    private func word(
        _ base: UnsafeRawPointer, _ start: Int, _ end: Int, _ classes: UnsafeBufferPointer<UInt8>,
        _ slots: inout SlotBuffer
    ) -> Int {
        var (place, changes, kinds): (Int, Int, UInt8) = (start, 0, 0)
        var (last, change): (UInt8, Int) = (classes[Int(base.load(fromByteOffset: start, as: UInt8.self))], start)
        while place < end {
            let kind = classes[Int(base.load(fromByteOffset: place, as: UInt8.self))]
            if kind == 0 { break }
            if kind != last {
                changes &+= 1
                if changes == 1 { change = place }
                last = kind
            }
            kinds |= kind
            place &+= 1
        }
        guard kinds & 2 != 0 else { return place }
        if kinds == 2 {
            slots.append(start, place)
        } else if changes == 1, last == 2, isWord(base, start, change) {
            slots.append(change, place)
        } else if changes == 1, last == 1, isUnit(base, change, place) {
            slots.append(start, change)
        } else if changes == 2, last == 2, place &- change > 1, isTimeMark(base, change),
            classes[Int(base.load(fromByteOffset: change &+ 1, as: UInt8.self))] == 2
        {
            slots.append(start, change)
            slots.append(change &+ 1, place)
        } else {
            slots.append(start, place)
        }
        return place
    }

    /// Letters that are no hexadecimal digits: such a word is more than a part of a random number.
    private func isWord(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        for place in start..<end {
            let lower = base.load(fromByteOffset: place, as: UInt8.self) | 0x20
            if lower > UInt8(ascii: "f") && lower <= UInt8(ascii: "z") { return true }
        }
        return false
    }

    /// `T` and `Z`.
    private func isTimeMark(_ base: UnsafeRawPointer, _ place: Int) -> Bool {
        let byte = base.load(fromByteOffset: place, as: UInt8.self)
        return byte == UInt8(ascii: "T") || byte == UInt8(ascii: "Z")
    }

    /// Units of times and sizes.
    private func isUnit(_ base: UnsafeRawPointer, _ start: Int, _ end: Int) -> Bool {
        var word: UInt32 = 0
        guard end &- start <= 3 else { return false }
        for place in start..<end { word = word << 8 | UInt32(base.load(fromByteOffset: place, as: UInt8.self)) }
        return Self.units.contains(word)
    }

    private static let units: Set<UInt32> = {
        let names = [
            "T", "Z", "s", "ms", "us", "ns", "m", "h", "\u{B5}s", "B", "KB", "MB", "GB", "KiB", "MiB", "GiB", "k", "x",
        ]
        return Set(names.map { $0.utf8.reduce(0) { $0 << 8 | UInt32($1) } })
    }()
}
