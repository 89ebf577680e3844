#include "CMillrace.h"

#include <string.h>

// The polynomial 0x1EDC6F41 with its bits reversed, as is usual: bit 31 of a value is the coefficient of x^0.
#define POLYNOMIAL 0x82F63B78u

typedef uint32_t crc32c_function(uint32_t crc, const uint8_t *bytes, size_t count);

static inline uint64_t load64(const uint8_t *bytes) {
    uint64_t value;
    memcpy(&value, bytes, 8);
    return value;
}

// MARK: - Portable: eight tables, eight bytes a step

static uint32_t tables[8][256];

static void fill_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ POLYNOMIAL : crc >> 1;
        tables[0][byte] = crc;
    }
    for (int table = 1; table < 8; table++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t crc = tables[table - 1][byte];
            tables[table][byte] = crc >> 8 ^ tables[0][crc & 0xFF];
        }
}

static uint32_t crc32c_portable(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) {
        uint32_t low = crc ^ ((uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
                              | (uint32_t)bytes[3] << 24);
        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24]
            ^ tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^ tables[0][bytes[7]];
    }
    for (; count > 0; bytes++, count--) crc = crc >> 8 ^ tables[0][(crc ^ *bytes) & 0xFF];
    return crc;
}

// MARK: - x86-64: SSE4.2's instruction takes 3 cycles but starts every cycle, so three streams run side by side

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

#define SSE42 __attribute__((target("sse4.2,pclmul")))

// Multiplies by a power of x. With both operands reversed, the product read as 64 reversed bits is `crc * factor * x`,
// and the CRC instruction multiplies by x^32: moving a CRC over n bytes takes the factor x^(8n - 33).
SSE42 static inline uint64_t shift(uint64_t crc, uint64_t factor) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)crc), _mm_cvtsi64_si128((long long)factor), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

// Three streams of `length` bytes each as often as they fit; `one` and `two` move a CRC over one and two streams.
#define THREE_STREAMS(length, one, two)                                        \
    while (count >= 3 * (length)) {                                            \
        uint64_t second = 0, third = 0;                                        \
        for (const uint8_t *end = bytes + (length); bytes < end; bytes += 8) { \
            first = _mm_crc32_u64(first, load64(bytes));                       \
            second = _mm_crc32_u64(second, load64(bytes + (length)));          \
            third = _mm_crc32_u64(third, load64(bytes + 2 * (length)));        \
        }                                                                      \
        first = shift(first, two) ^ shift(second, one) ^ third;                \
        bytes += 2 * (length);                                                 \
        count -= 3 * (length);                                                 \
    }

SSE42 static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t first = crc;
    THREE_STREAMS(4096, 0x82F89C77, 0x54A86326)
    THREE_STREAMS(512, 0xDD7E3B0C, 0x170076FA)
    THREE_STREAMS(64, 0x9E4ADDF8, 0x0D3B6092)
    for (; count >= 8; bytes += 8, count -= 8) first = _mm_crc32_u64(first, load64(bytes));
    uint32_t rest = (uint32_t)first;
    for (; count > 0; bytes++, count--) rest = _mm_crc32_u8(rest, *bytes);
    return rest;
}
#endif

// MARK: - ARMv8: the CRC extension, one stream

#if defined(__aarch64__) && defined(__linux__)
#include <arm_acle.h>
#include <sys/auxv.h>

__attribute__((target("crc"))) static uint32_t crc32c_armv8(uint32_t crc, const uint8_t *bytes, size_t count) {
    for (; count >= 8; bytes += 8, count -= 8) crc = __crc32cd(crc, load64(bytes));
    for (; count > 0; bytes++, count--) crc = __crc32cb(crc, *bytes);
    return crc;
}
#endif

// MARK: - The choice

static crc32c_function *chosen = crc32c_portable;
static const char *chosen_kind = "portable";

__attribute__((constructor)) static void choose(void) {
    fill_tables();
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) {
        chosen = crc32c_sse42;
        chosen_kind = "sse4.2";
    }
#elif defined(__aarch64__) && defined(__linux__)
    // HWCAP_CRC32
    if (getauxval(AT_HWCAP) & (1 << 7)) {
        chosen = crc32c_armv8;
        chosen_kind = "armv8";
    }
#endif
}

uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count) { return ~chosen(~crc, bytes, count); }

uint32_t millrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    return ~crc32c_portable(~crc, bytes, count);
}

const char *millrace_crc32c_kind(void) { return chosen_kind; }
