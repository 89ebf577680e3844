// How long this disk takes to make bytes durable, with nothing else in the way.
//
//   sync_probe --directory DIR [--seconds 2] [--bytes 4096] [--files 1] [--threads 1] [--method each|ranges|syncfs]
//        [--zeroed 1]
//
// One cycle writes `bytes` to each of `files` preallocated files and syncs them all; the clock runs over the
// syncs alone. `each`: one fdatasync per file, by `threads` threads. `ranges`: the same after the writeback of
// all files has been started with sync_file_range. `syncfs`: one call for the whole file system. --zeroed writes
// the preallocated blocks once beforehand, so that a sync has no extents to convert and no journal to commit.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats.h"

enum { FILES = 4096, THREADS = 64, PREALLOCATION = 1 << 20 };

static const char *directory;
static double seconds = 2;
static int bytes = 4096, files = 1, threads = 1;
static char method = 'e';
static bool zeroed;
static int descriptors[FILES];
static off_t ends[FILES];
static pthread_barrier_t begin, finish;
static struct histogram cycles;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void sync_share(int thread) {
    for (int index = thread; index < files; index += threads)
        if (fdatasync(descriptors[index]) != 0) fail("fdatasync");
}

static void *work(void *argument) {
    for (;;) {
        pthread_barrier_wait(&begin);
        sync_share((int)(intptr_t)argument);
        pthread_barrier_wait(&finish);
    }
    return NULL;
}

static void open_files(void) {
    for (int index = 0; index < files; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/probe-%d", directory, index);
        descriptors[index] = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (descriptors[index] < 0) fail(path);
        unlink(path);
    }
}

static void preallocate(int index) {
    ends[index] = (ends[index] + PREALLOCATION - 1) / PREALLOCATION * PREALLOCATION;
    if (fallocate(descriptors[index], 0, ends[index], PREALLOCATION) != 0) fail("fallocate");
    if (!zeroed) return;
    static const char zeros[PREALLOCATION];
    if (pwrite(descriptors[index], zeros, PREALLOCATION, ends[index]) != PREALLOCATION) fail("pwrite");
    fsync(descriptors[index]);
}

static void dirty_files(const char *content) {
    for (int index = 0; index < files; index++) {
        if (ends[index] % PREALLOCATION + bytes > PREALLOCATION || ends[index] % PREALLOCATION == 0) preallocate(index);
        if (pwrite(descriptors[index], content, (size_t)bytes, ends[index]) != bytes) fail("pwrite");
        ends[index] += bytes;
    }
}

static void sync_files(void) {
    if (method == 's' && syncfs(descriptors[0]) != 0) fail("syncfs");
    if (method == 's') return;
    if (method == 'r')
        for (int index = 0; index < files; index++)
            sync_file_range(descriptors[index], ends[index] - bytes, bytes, SYNC_FILE_RANGE_WRITE);
    if (threads == 1) return sync_share(0);
    pthread_barrier_wait(&begin);
    sync_share(0);
    pthread_barrier_wait(&finish);
}

static void parse(int count, char **arguments) {
    bool good = count % 2 == 1;
    for (int index = 1; good && index < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (!strcmp(name, "--directory")) directory = value;
        else if (!strcmp(name, "--seconds")) seconds = atof(value);
        else if (!strcmp(name, "--bytes")) bytes = atoi(value);
        else if (!strcmp(name, "--files")) files = atoi(value);
        else if (!strcmp(name, "--threads")) threads = atoi(value);
        else if (!strcmp(name, "--zeroed")) zeroed = atoi(value);
        else if (!strcmp(name, "--method")) method = value[0];
        else good = false;
    }
    good = good && directory && bytes > 0 && bytes <= PREALLOCATION && files > 0 && files <= FILES && threads > 0
        && threads <= THREADS && strchr("ers", method);
    if (good) return;
    fprintf(stderr, "usage: see the head of sync_probe.c\n");
    exit(2);
}

int main(int count, char **arguments) {
    parse(count, arguments);
    open_files();
    char *content = malloc((size_t)bytes);
    memset(content, 'x', (size_t)bytes);
    if (threads > 1) {
        pthread_barrier_init(&begin, NULL, (unsigned)threads);
        pthread_barrier_init(&finish, NULL, (unsigned)threads);
        pthread_t thread;
        for (int index = 1; index < threads; index++)
            if (pthread_create(&thread, NULL, work, (void *)(intptr_t)index) != 0) fail("pthread_create");
    }
    dirty_files(content);
    uint64_t deadline = nanoseconds(CLOCK_MONOTONIC) + (uint64_t)(seconds * 1e9), used = 0, before = 0;
    for (int warm = 0; nanoseconds(CLOCK_MONOTONIC) < deadline; warm++) {
        dirty_files(content);
        before = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        uint64_t began = nanoseconds(CLOCK_MONOTONIC);
        sync_files();
        if (warm < 2) continue;
        histogram_record(&cycles, nanoseconds(CLOCK_MONOTONIC) - began);
        used += nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - before;
    }
    printf("{\"files\":%d,\"threads\":%d,\"bytes\":%d,\"cpuPerCycle\":%.9f,", files, threads, bytes,
        cycles.count > 0 ? (double)used / 1e9 / (double)cycles.count : 0);
    histogram_print(stdout, "sync", &cycles);
    printf("}\n");
    return 0;
}
