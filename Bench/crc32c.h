// CRC-32C (Castagnoli) with the SSE4.2 instruction, three streams at a time.
//
// One stream is bound by the instruction's latency of three cycles; three independent ones hide it. The
// streams are joined with a table that says what a state becomes after LANE zero bytes.
#ifndef MILLRACE_BENCH_CRC32C_H
#define MILLRACE_BENCH_CRC32C_H

#include <nmmintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CRC32C_LANE = 1024 };

static uint32_t crc32c_after_lane[4][256];

static uint64_t crc32c_load(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

// Fills the table before `main` runs.
__attribute__((constructor)) static void crc32c_prepare(void) {
    uint32_t basis[32];
    for (int bit = 0; bit < 32; bit++) {
        uint64_t state = (uint64_t)1 << bit;
        for (int done = 0; done < CRC32C_LANE; done += 8) state = _mm_crc32_u64(state, 0);
        basis[bit] = (uint32_t)state;
    }
    for (int byte = 0; byte < 4; byte++)
        for (int value = 0; value < 256; value++) {
            uint32_t sum = 0;
            for (int bit = 0; bit < 8; bit++)
                if (value >> bit & 1) sum ^= basis[8 * byte + bit];
            crc32c_after_lane[byte][value] = sum;
        }
}

static inline uint32_t crc32c_shift(uint32_t state) {
    return crc32c_after_lane[0][state & 255] ^ crc32c_after_lane[1][state >> 8 & 255]
        ^ crc32c_after_lane[2][state >> 16 & 255] ^ crc32c_after_lane[3][state >> 24];
}

static uint32_t crc32c(const uint8_t *bytes, size_t count) {
    uint64_t first = 0xffffffff;
    while (count >= 3 * CRC32C_LANE) {
        uint64_t second = 0, third = 0;
        for (int at = 0; at < CRC32C_LANE; at += 8) {
            first = _mm_crc32_u64(first, crc32c_load(bytes + at));
            second = _mm_crc32_u64(second, crc32c_load(bytes + CRC32C_LANE + at));
            third = _mm_crc32_u64(third, crc32c_load(bytes + 2 * CRC32C_LANE + at));
        }
        first = crc32c_shift(crc32c_shift((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
        bytes += 3 * CRC32C_LANE;
        count -= 3 * CRC32C_LANE;
    }
    for (; count >= 8; bytes += 8, count -= 8) first = _mm_crc32_u64(first, crc32c_load(bytes));
    for (; count > 0; bytes++, count--) first = _mm_crc32_u8((uint32_t)first, *bytes);
    return (uint32_t)first ^ 0xffffffff;
}

#endif
