// What the peer's event loop (peer.c) and its answers (peer_answers.c) know of each other.
#ifndef MILLRACE_BENCH_PEER_H
#define MILLRACE_BENCH_PEER_H

#include <sys/types.h>

#include "wire.h"

// The most bytes a response has outside a file.
enum { RESPONSE_LIMIT = 4096 };

struct settings {
    const char *directory;
    int threads, port, syncMilliseconds;
    long long batchBytes, batchRecords;
};

extern struct settings settings;

struct slice {
    int descriptor;
    off_t position;
    size_t count;
};

struct response {
    uint8_t *bytes;
    size_t count;
    struct slice file;
    size_t trailer;
};

// Answers one request. Returns false when the connection is to be closed.
bool handle(struct reader *request, struct response *response);

// Thread: fdatasync on each partition that was written, every `syncMilliseconds`.
void *sync_regularly(void *argument);

#endif
