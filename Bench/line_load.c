// Writes a set of points to POST /write, or prints it.
//
//   line_load --port N --database NAME [--set cpu|cpu-float|events|series] [--points N] [--hosts 100]
//             [--start NS] [--step NS] [--seed 1] [--clients 4] [--batch 5000]
//   line_load --print 1 [--set …] …
//
// Each client is a thread with a connection that is kept open; it makes the next batch, sends it and waits for the
// answer. Only 204 counts as written; 503 is tried again after 50 ms, everything else ends the program. Prints one
// line of JSON. The time of making the lines is in `seconds`, but not in a server's CPU.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_client.h"
#include "points.h"
#include "stats.h"

enum { CLIENTS = 64, HEAD_BYTES = 512, REFUSALS = 1200 };

static struct points points = {.hosts = 100, .count = 864000, .start = 1451606400000000000, .step = 10000000000};
static int port, clients = 4, batch = 5000, printing;
static const char *database = "bench";
static uint64_t seed = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct histogram latency;
static uint64_t written, sentBytes, again;

void fail(const char *what) {
    fprintf(stderr, "line_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *run_client(void *unused) {
    (void)unused;
    char *text = malloc((size_t)batch * LINE_BYTES), *answer = malloc(ANSWER_BYTES), head[HEAD_BYTES];
    if (!text || !answer) fail("malloc");
    int descriptor = open_connection(port);
    for (;;) {
        pthread_mutex_lock(&lock);
        uint64_t before = points.made;
        size_t bytes = (size_t)(points_write(&points, text, (uint64_t)batch) - text);
        uint64_t lines = points.made - before;
        pthread_mutex_unlock(&lock);
        if (lines == 0) return NULL;
        int size = snprintf(head, sizeof head, "POST /write?db=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n\r\n", database, bytes);
        for (int status = 0, refused = 0; status != 204;) {
            uint64_t began = nanoseconds(CLOCK_MONOTONIC);
            send_all(descriptor, head, (size_t)size);
            send_all(descriptor, text, bytes);
            status = receive(descriptor, answer);
            if (status != 204 && status != 503) fail(answer);
            pthread_mutex_lock(&lock);
            histogram_record(&latency, nanoseconds(CLOCK_MONOTONIC) - began);
            if (status == 204) written += lines, sentBytes += bytes;
            else again++;
            pthread_mutex_unlock(&lock);
            if (status == 503 && ++refused > REFUSALS) fail("refused with 503 for a minute");
            if (status == 503) usleep(50000);
        }
    }
}

static void print_lines(void) {
    char *text = malloc((size_t)batch * LINE_BYTES);
    for (char *end; text && (end = points_write(&points, text, (uint64_t)batch)) > text;)
        fwrite(text, 1, (size_t)(end - text), stdout);
}

static bool parse_set(const char *name) {
    static const char *const names[] = {"cpu", "cpu-float", "events", "series"};
    for (int set = 0; set < 4; set++)
        if (!strcmp(name, names[set])) return points.set = (enum points_set)set, true;
    return false;
}

static bool parse(int count, char **arguments) {
    for (int index = 1; index < count; index += 2) {
        const char *name = arguments[index], *value = index + 1 < count ? arguments[index + 1] : "0";
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--database")) database = value;
        else if (!strcmp(name, "--points")) points.count = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--hosts")) points.hosts = atoi(value);
        else if (!strcmp(name, "--start")) points.start = atoll(value);
        else if (!strcmp(name, "--step")) points.step = atoll(value);
        else if (!strcmp(name, "--seed")) seed = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--clients")) clients = atoi(value);
        else if (!strcmp(name, "--batch")) batch = atoi(value);
        else if (!strcmp(name, "--print")) printing = atoi(value);
        else if (strcmp(name, "--set") || !parse_set(value)) return false;
    }
    return (port > 0 || printing) && clients > 0 && clients <= CLIENTS && batch > 0 && batch <= 100000
        && points.hosts > 0 && points.hosts <= 1000000 && points.step > 0 && strlen(database) < 200;
}

int main(int count, char **arguments) {
    if (!parse(count, arguments)) {
        fprintf(stderr, "usage: see the head of line_load.c\n");
        return 2;
    }
    points_open(&points, seed);
    if (printing) return print_lines(), 0;
    pthread_t threads[CLIENTS];
    uint64_t began = nanoseconds(CLOCK_MONOTONIC), used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int index = 0; index < clients; index++)
        if (pthread_create(&threads[index], NULL, run_client, NULL) != 0) fail("pthread_create");
    for (int index = 0; index < clients; index++) pthread_join(threads[index], NULL);
    printf("{\"lines\":%llu,\"values\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"generatorCPU\":%.6f,\"refused\":%llu,",
        (unsigned long long)written, (unsigned long long)written * (unsigned long long)points_values(points.set),
        (unsigned long long)sentBytes, (double)(nanoseconds(CLOCK_MONOTONIC) - began) / 1e9,
        (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / 1e9, (unsigned long long)again);
    histogram_print(stdout, "latency", &latency);
    printf("}\n");
    return 0;
}
