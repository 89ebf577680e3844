// xoshiro256++ (Blackman and Vigna, public domain), seeded with splitmix64: the same seed, the same data.
#ifndef MILLRACE_BENCH_RANDOM_H
#define MILLRACE_BENCH_RANDOM_H

#include <stdint.h>

struct random_source {
    uint64_t state[4];
};

static inline uint64_t random_mix(uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static inline void random_seed(struct random_source *source, uint64_t seed) {
    for (int index = 0; index < 4; index++) source->state[index] = random_mix(seed + (uint64_t)index);
}

static inline uint64_t random_next(struct random_source *source) {
    uint64_t *s = source->state, sum = s[0] + s[3], result = (sum << 23 | sum >> 41) + s[0], shifted = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= shifted, s[3] = s[3] << 45 | s[3] >> 19;
    return result;
}

static inline uint64_t random_below(struct random_source *source, uint64_t limit) {
    return (uint64_t)((unsigned __int128)random_next(source) * limit >> 64);
}

// Between 0 and 1, neither of them.
static inline double random_uniform(struct random_source *source) {
    return ((double)(random_next(source) >> 11) + 0.5) * 0x1p-53;
}

#endif
