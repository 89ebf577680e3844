// Lines of line protocol from a seed: the same seed makes the same lines, whoever sends them.
#ifndef MILLRACE_BENCH_POINTS_H
#define MILLRACE_BENCH_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

// The longest line that a set makes, its line feed included.
enum { LINE_BYTES = 1024 };

enum points_set { SET_CPU, SET_CPU_FLOAT, SET_EVENTS, SET_SERIES };

struct points {
    enum points_set set;
    int hosts;                // cpu: hosts; every step has a line of each
    uint64_t count;           // lines in all
    int64_t start, step;      // ns: time of the first line; cpu: between steps, events: mean distance
    struct random_source random;
    uint64_t made;            // lines so far
    int64_t time;
    double *walks;            // cpu: ten values per host
    char (*tags)[320];        // cpu: measurement and tags of a host
};

void points_open(struct points *points, uint64_t seed);

// Values that a line of this set has.
int points_values(enum points_set set);

// Writes the next lines, at most `lines` of them, and returns where they end; `text` when there are no more.
char *points_write(struct points *points, char *text, uint64_t lines);

#endif
