// Time and a latency histogram.
#ifndef MILLRACE_BENCH_STATS_H
#define MILLRACE_BENCH_STATS_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline uint64_t nanoseconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// Buckets of 1/64 of a power of two: a quantile is at most 1.6 % too large.
struct histogram {
    uint64_t count, total, buckets[64 * 60];
};

static inline unsigned histogram_bucket(uint64_t value) {
    if (value < 64) return (unsigned)value;
    unsigned shift = 57 - (unsigned)__builtin_clzll(value);
    return 64 * shift + (unsigned)(value >> shift);
}

static inline void histogram_record(struct histogram *histogram, uint64_t value) {
    histogram->count++;
    histogram->total += value;
    histogram->buckets[histogram_bucket(value)]++;
}

// The upper end of the bucket that holds the quantile.
static inline uint64_t histogram_quantile(const struct histogram *histogram, double quantile) {
    uint64_t rank = (uint64_t)(quantile * (double)histogram->count), seen = 0;
    for (unsigned bucket = 0; bucket < 64 * 60; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > rank) {
            if (bucket < 128) return bucket;
            unsigned shift = bucket / 64 - 1;
            return ((uint64_t)(bucket - 64 * shift) + 1) << shift;
        }
    }
    return 0;
}

static inline void histogram_print(FILE *file, const char *name, const struct histogram *histogram) {
    double mean = histogram->count > 0 ? (double)histogram->total / (double)histogram->count : 0;
    fprintf(file, "\"%s\":{\"count\":%llu,\"mean\":%.0f,\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}", name,
        (unsigned long long)histogram->count, mean, (unsigned long long)histogram_quantile(histogram, 0.5),
        (unsigned long long)histogram_quantile(histogram, 0.99),
        (unsigned long long)histogram_quantile(histogram, 0.999),
        (unsigned long long)histogram_quantile(histogram, 0.9999999));
}

#endif
