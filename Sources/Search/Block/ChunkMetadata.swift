import Bytes

extension DecodedTexts {
    /// The sets of metadata that the texts are, each distinct one once; the first is the empty one.
    func metadata() throws(BytesError) -> LineMetadata {
        var metadata = LineMetadata(sets: [[]], codes: [])
        metadata.codes.reserveCapacity(ranges.count)
        var known: [[UInt8]: UInt32] = [[]: 0]
        var (last, code): (TextRange?, UInt32) = (nil, 0)
        for range in ranges {
            if range != last {
                let text = Array(bytes[Int(range.start)..<Int(range.end)])
                if let found = known[text] {
                    code = found
                } else {
                    code = UInt32(metadata.sets.count)
                    known[text] = code
                    metadata.sets.append(
                        try text.withUnsafeBufferPointer { text throws(BytesError) in
                            try MetadataText.decode(UnsafeRawBufferPointer(text))
                        })
                }
                last = range
            }
            metadata.codes.append(code)
        }
        return metadata
    }
}
