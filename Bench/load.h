// What the parts of the load generator know of each other: the loop (load.c), what is produced
// (load_produce.c), what is fetched (load_fetch.c) and what a group commits (load_commit.c).
#ifndef MILLRACE_BENCH_LOAD_H
#define MILLRACE_BENCH_LOAD_H

#include <stdio.h>

#include "stats.h"
#include "wire.h"

enum { INPUT_BYTES = 256 << 10 };

enum job { JOB_PRODUCE, JOB_FETCH, JOB_COMMIT };

struct settings {
    enum job job;
    bool spread, verify;
    const char *topic;
    int port, connections, inFlight, acks, version, partitions;
    long long requests;               // over all connections; 0: until `seconds` have passed
    double seconds;
    long long batchBytes, batchRecords, valueBytes;
    long long maximumBytes, endOffset;
};

// A connection sends the slots of its ring round and round; all have the same size.
struct connection {
    int descriptor, number;
    uint8_t *ring;
    size_t slotBytes;
    uint64_t slots;
    uint64_t quota;                   // requests that this connection is to send
    uint64_t scheduled, answered;     // requests
    uint64_t sentBytes;
    uint64_t *times;                  // of scheduling, `inFlight` of them
    bool fenced, writing, finished;
    uint8_t *input;
    size_t inputCount;
    size_t headBytes, bodyLeft;       // fetch: size of a response's head; bytes of the body still to come
    uint8_t *body;                    // fetch with --verify
    size_t bodyCount;
    int error;                        // fetch: of the response that is being read, and its batches' bytes
    size_t records;
    int64_t offset;                   // fetch: the next offset to ask for
};

struct totals {
    uint64_t requests, bytes, errors;
    int firstError;
    struct histogram latency;
};

extern struct settings settings;
extern struct totals totals;

// Fill the ring once.
void produce_prepare(struct connection *connection);
void fetch_prepare(struct connection *connection);
void commit_prepare(struct connection *connection);

// Patches the offset into the slot of request number `sequence`.
void fetch_patch(struct connection *connection, uint64_t sequence);

// Read what has arrived; call `answered` for each response. False when the connection has ended.
bool produce_receive(struct connection *connection);
bool fetch_receive(struct connection *connection);
bool commit_receive(struct connection *connection);

// Reads what has arrived and calls `read` for each whole response; `read` begins behind the length.
bool receive_responses(struct connection *connection, void (*read)(struct connection *, struct reader *));

// Accounts for the oldest open request of the connection.
void answered(struct connection *connection, int error, uint64_t bytes);

_Noreturn void fail(const char *what);

#endif
