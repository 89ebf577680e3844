// Log lines of many programs from a seed: the same seed makes the same lines, whoever sends them.
#ifndef MILLRACE_BENCH_LOG_LINES_H
#define MILLRACE_BENCH_LOG_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "random.h"

// The longest line. 22 programs with 4 pods each; the pods' lines come in the order of time.
enum { LOG_LINE_BYTES = 1024, LOG_APPS = 22, LOG_PODS = 4, LOG_STREAMS = LOG_APPS * LOG_PODS };

// A number that stands in seven lines of a set, however large it is.
#define LOG_NEEDLE "4bf92f3577b34da6a3ce929d0e0e4736"

struct log_lines {
    uint64_t count;        // lines in all
    int64_t start, span;   // ns: time of the first line, and how long they take
    struct random_source random;
    uint64_t made;         // lines so far
    int64_t time;
    // What is true of the lines so far, for whoever checks an answer.
    struct log_facts {
        uint64_t bytes, levels[4], timeouts, refusedErrors, status503, needles, podBytes[LOG_STREAMS];
    } facts;
};

// A line: the stream that it is of, its time, its bytes (without a line feed).
struct log_line {
    int stream;
    int64_t time;
    size_t size;
    char *text;
};

void log_lines_open(struct log_lines *lines, uint64_t seed);

// Writes the next line's bytes to `text`, which has room for LOG_LINE_BYTES; false when there are no more.
int log_lines_next(struct log_lines *lines, struct log_line *line, char *text);

// The labels of a stream as Loki writes them; and as part of a file's name.
void log_labels(int stream, char *text, size_t room);
void log_file_name(int stream, char *text, size_t room);

#endif
