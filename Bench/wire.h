// The little of Kafka's wire format that the bench programs need: big-endian integers, varints, compact
// lengths, and one record batch (format v2) with a right checksum.
#ifndef MILLRACE_BENCH_WIRE_H
#define MILLRACE_BENCH_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"

enum { API_PRODUCE = 0, API_FETCH = 1, API_METADATA = 3, API_OFFSET_COMMIT = 8, API_VERSIONS = 18 };
// Bytes of a record batch before its first record, and the position of what the CRC covers.
enum { BATCH_HEADER = 61, BATCH_CHECKSUMMED = 21 };

// Writing. The caller makes sure that there is room.

static inline uint8_t *put_int8(uint8_t *at, int value) {
    *at = (uint8_t)value;
    return at + 1;
}

static inline uint8_t *put_int16(uint8_t *at, int value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

static inline uint8_t *put_int32(uint8_t *at, uint32_t value) {
    value = __builtin_bswap32(value);
    memcpy(at, &value, 4);
    return at + 4;
}

static inline uint8_t *put_int64(uint8_t *at, uint64_t value) {
    value = __builtin_bswap64(value);
    memcpy(at, &value, 8);
    return at + 8;
}

static inline uint8_t *put_varint(uint8_t *at, uint64_t value) {
    for (; value >= 128; value >>= 7) *at++ = (uint8_t)(value | 128);
    *at++ = (uint8_t)value;
    return at;
}

static inline uint8_t *put_zigzag(uint8_t *at, int64_t value) {
    return put_varint(at, (uint64_t)value << 1 ^ (uint64_t)(value >> 63));
}

static inline uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t count) {
    memcpy(at, bytes, count);
    return at + count;
}

static inline uint8_t *put_compact_string(uint8_t *at, const char *text) {
    at = put_varint(at, strlen(text) + 1);
    return put_bytes(at, text, strlen(text));
}

static inline uint8_t *put_string(uint8_t *at, const char *text) {
    at = put_int16(at, (int)strlen(text));
    return put_bytes(at, text, strlen(text));
}

// Reading: past the end everything is 0 and `bad` is set.

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

static inline const uint8_t *take(struct reader *reader, size_t count) {
    static const uint8_t nothing[16];
    if ((size_t)(reader->end - reader->at) < count) {
        reader->bad = true;
        reader->at = reader->end;
        return count <= sizeof nothing ? nothing : NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at += count;
    return bytes;
}

static inline int get_int8(struct reader *reader) { return (int8_t)*take(reader, 1); }

static inline int get_int16(struct reader *reader) {
    const uint8_t *bytes = take(reader, 2);
    return (int16_t)(bytes[0] << 8 | bytes[1]);
}

static inline int32_t get_int32(struct reader *reader) {
    uint32_t value;
    memcpy(&value, take(reader, 4), 4);
    return (int32_t)__builtin_bswap32(value);
}

static inline int64_t get_int64(struct reader *reader) {
    uint64_t value;
    memcpy(&value, take(reader, 8), 8);
    return (int64_t)__builtin_bswap64(value);
}

static inline uint64_t get_varint(struct reader *reader) {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t byte = *take(reader, 1);
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
    }
    return value;
}

// A nullable string or array of bytes; compact or not. Null is empty.
static inline size_t skip_string(struct reader *reader, bool compact) {
    int64_t count = compact ? (int64_t)get_varint(reader) - 1 : get_int16(reader);
    if (count > 0) take(reader, (size_t)count);
    return count > 0 ? (size_t)count : 0;
}

static inline void skip_tags(struct reader *reader) {
    for (uint64_t count = get_varint(reader); count > 0 && !reader->bad; count--) {
        get_varint(reader);
        take(reader, (size_t)get_varint(reader));
    }
}

// Record batches.

static inline uint32_t batch_record_count(const uint8_t *batch) {
    uint32_t count;
    memcpy(&count, batch + 57, 4);
    return __builtin_bswap32(count);
}

static inline bool batch_checksum_matches(const uint8_t *batch, size_t count) {
    if (count < BATCH_HEADER) return false;
    uint32_t stored;
    memcpy(&stored, batch + 17, 4);
    return __builtin_bswap32(stored) == crc32c(batch + BATCH_CHECKSUMMED, count - BATCH_CHECKSUMMED);
}

static inline uint8_t *put_record(uint8_t *at, int64_t index, size_t valueBytes, uint64_t *random) {
    uint8_t lead[32], *end = lead;
    end = put_int8(end, 0);          // attributes
    end = put_zigzag(end, 0);        // timestamp delta
    end = put_zigzag(end, index);    // offset delta
    end = put_zigzag(end, -1);       // no key
    end = put_zigzag(end, (int64_t)valueBytes);
    at = put_zigzag(at, (int64_t)((size_t)(end - lead) + valueBytes + 1));
    at = put_bytes(at, lead, (size_t)(end - lead));
    for (size_t written = 0; written < valueBytes; written++) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        *at++ = (uint8_t)(*random >> 56);
    }
    return put_zigzag(at, 0);        // no headers
}

// Writes a batch of `records` records and returns its size. With `wanted` > 0 the last record is sized so
// that the whole batch has exactly that many bytes (records of 100 B to 8 KB); else each value has
// `valueBytes` bytes.
static inline size_t put_batch(uint8_t *batch, int records, size_t valueBytes, size_t wanted, int64_t timestamp) {
    uint64_t random = 42;
    if (wanted > 0) valueBytes = (wanted - BATCH_HEADER) / (size_t)records - 12;
    uint8_t *at = batch + BATCH_HEADER;
    for (int index = 0; index < records; index++) {
        uint8_t *start = at;
        uint64_t before = random;
        at = put_record(at, index, valueBytes, &random);
        if (wanted > 0 && index == records - 1) {
            random = before;
            at = put_record(start, index, valueBytes + wanted - (size_t)(at - batch), &random);
        }
    }
    size_t count = (size_t)(at - batch);
    put_int64(batch, 0);                               // base offset
    put_int32(batch + 8, (uint32_t)(count - 12));      // length
    put_int32(batch + 12, (uint32_t)-1);               // partition leader epoch
    put_int8(batch + 16, 2);                           // magic
    put_int16(batch + 21, 0);                          // attributes
    put_int32(batch + 23, (uint32_t)(records - 1));    // last offset delta
    put_int64(batch + 27, (uint64_t)timestamp);
    put_int64(batch + 35, (uint64_t)timestamp);
    put_int64(batch + 43, (uint64_t)-1);               // producer id, epoch, first sequence: none
    put_int16(batch + 51, -1);
    put_int32(batch + 53, (uint32_t)-1);
    put_int32(batch + 57, (uint32_t)records);
    put_int32(batch + 17, crc32c(batch + BATCH_CHECKSUMMED, count - BATCH_CHECKSUMMED));
    return count;
}

#endif
