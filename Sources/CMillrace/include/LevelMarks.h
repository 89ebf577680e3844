#ifndef MILLRACE_LEVEL_MARKS_H
#define MILLRACE_LEVEL_MARKS_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Which of the first 64 of `count` bytes may begin a word that names a level: bit i is set if bytes i and i + 1, in
/// letters of either case, are the first two of trace, critical, error, fatal, warn, debug or info.
///
/// It is here because Swift has no way to turn a vector's lanes into bits: looking at each byte took 2 µs for a line of
/// 250 bytes.
static inline uint64_t millrace_level_marks(const uint8_t *bytes, uint64_t count) {
    uint8_t padded[80];
    if (count < 65) {
        memset(padded, 0, sizeof padded);
        memcpy(padded, bytes, count);
        bytes = padded;
    }
#if defined(__SSE2__)
    const __m128i fold = _mm_set1_epi8(0x20);
    uint64_t marks = 0;
    for (int part = 0; part < 4; part++) {
        __m128i first = _mm_or_si128(_mm_loadu_si128((const __m128i *)(bytes + 16 * part)), fold);
        __m128i next = _mm_or_si128(_mm_loadu_si128((const __m128i *)(bytes + 16 * part + 1)), fold);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('t')), _mm_cmpeq_epi8(first, _mm_set1_epi8('c')));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(first, _mm_set1_epi8('e')));
        found = _mm_and_si128(found, _mm_cmpeq_epi8(next, _mm_set1_epi8('r')));
        __m128i other = _mm_or_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('f')), _mm_cmpeq_epi8(first, _mm_set1_epi8('w')));
        found = _mm_or_si128(found, _mm_and_si128(other, _mm_cmpeq_epi8(next, _mm_set1_epi8('a'))));
        other = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('d')), _mm_cmpeq_epi8(next, _mm_set1_epi8('e')));
        found = _mm_or_si128(found, other);
        other = _mm_and_si128(_mm_cmpeq_epi8(first, _mm_set1_epi8('i')), _mm_cmpeq_epi8(next, _mm_set1_epi8('n')));
        found = _mm_or_si128(found, other);
        marks |= (uint64_t)(uint16_t)_mm_movemask_epi8(found) << (16 * part);
    }
    return marks;
#else
    uint64_t marks = 0;
    for (int i = 0; i < 64; i++) {
        uint8_t first = bytes[i] | 0x20, next = bytes[i + 1] | 0x20;
        uint64_t found = (next == 'r' && (first == 't' || first == 'c' || first == 'e')) ||
                         (next == 'a' && (first == 'f' || first == 'w')) || (first == 'd' && next == 'e') ||
                         (first == 'i' && next == 'n');
        marks |= found << i;
    }
    return marks;
#endif
}

#endif
