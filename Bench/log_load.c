// Pushes log lines to POST /loki/api/v1/push, or writes them into a directory, a file for each stream.
//
//   log_load --port N [--lines N] [--start NS] [--span SECONDS] [--seed 1] [--clients 2] [--batch 4000]
//            [--format protobuf|json] [--class NAME]
//   log_load --directory DIR [--lines N] …
//
// Each client is a thread with a connection that is kept open; it makes the next batch, grouped by stream, sends it and
// waits for the answer. Only 204 counts as pushed; 429 and 503 are tried again after 50 ms, everything else ends the
// program. Prints one line of JSON with what is true of the lines. `--class` adds the label class to every stream.
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <snappy-c.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http_client.h"
#include "log_lines.h"
#include "stats.h"

enum { CLIENTS = 16, HEAD_BYTES = 512, REFUSALS = 1200, LABEL_BYTES = 256, ENTRY_BYTES = 48 };

static struct log_lines lines = {.count = 100000, .start = 1772366400000000000, .span = 21600000000000};
static int port, clients = 2, batch = 4000, asJSON;
static const char *directory, *class;
static uint64_t seed = 1;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct histogram latency;
static uint64_t pushed, sentBytes, again;

void fail(const char *what) {
    fprintf(stderr, "log_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static char *put_varint(char *at, uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at++ = (char)(value | 0x80);
    *at++ = (char)value;
    return at;
}

static size_t varint_bytes(uint64_t value) {
    size_t count = 1;
    while (value >>= 7) count++;
    return count;
}

static void labels_of(int stream, char *text) {
    log_labels(stream, text, LABEL_BYTES);
    if (class) snprintf(text + strlen(text) - 1, LABEL_BYTES - strlen(text), ", class=\"%s\"}", class);
}

// The bytes of logproto.Timestamp and of logproto.Entry's content.
static size_t time_bytes(int64_t time) {
    int64_t seconds = time / 1000000000, rest = time % 1000000000;
    return 1 + varint_bytes((uint64_t)seconds) + (rest ? 1 + varint_bytes((uint64_t)rest) : 0);
}

static size_t entry_bytes(const struct log_line *line) {
    size_t time = time_bytes(line->time);
    return 1 + varint_bytes(time) + time + 1 + varint_bytes(line->size) + line->size;
}

static char *put_entry(char *at, const struct log_line *line) {
    int64_t seconds = line->time / 1000000000, rest = line->time % 1000000000;
    *at++ = 0x12;
    at = put_varint(at, entry_bytes(line));
    *at++ = 0x0a;
    at = put_varint(at, time_bytes(line->time));
    *at++ = 0x08;
    at = put_varint(at, (uint64_t)seconds);
    if (rest) *at++ = 0x10, at = put_varint(at, (uint64_t)rest);
    *at++ = 0x12;
    at = put_varint(at, line->size);
    return mempcpy(at, line->text, line->size);
}

static char *put_protobuf_stream(char *at, int stream, const struct log_line *all, int count) {
    char labels[LABEL_BYTES];
    labels_of(stream, labels);
    size_t size = 1 + varint_bytes(strlen(labels)) + strlen(labels);
    for (int index = 0; index < count; index++)
        if (all[index].stream == stream) {
            size_t entry = entry_bytes(&all[index]);
            size += 1 + varint_bytes(entry) + entry;
        }
    *at++ = 0x0a;
    at = put_varint(at, size);
    *at++ = 0x0a;
    at = stpcpy(put_varint(at, strlen(labels)), labels);
    for (int index = 0; index < count; index++)
        if (all[index].stream == stream) at = put_entry(at, &all[index]);
    return at;
}

static char *put_json_text(char *at, const char *text, size_t size) {
    *at++ = '"';
    for (size_t index = 0; index < size; index++) {
        if (text[index] == '"' || text[index] == '\\') *at++ = '\\';
        *at++ = text[index];
    }
    *at++ = '"';
    return at;
}

static char *put_json_stream(char *at, int stream, const struct log_line *all, int count, bool isFirst) {
    char labels[LABEL_BYTES];
    labels_of(stream, labels);
    at = stpcpy(at, isFirst ? "{\"stream\":{" : ",{\"stream\":{");
    // {a="b", c="d"} becomes "a":"b","c":"d".
    for (char *name = labels + 1; *name;) {
        char *equals = strchr(name, '='), *end = strchr(equals + 2, '"');
        at += sprintf(at, "%s\"%.*s\":\"%.*s\"", name > labels + 1 ? "," : "", (int)(equals - name), name,
            (int)(end - equals - 2), equals + 2);
        name = end[1] == '}' ? end + 2 : end + 3;
    }
    at = stpcpy(at, "},\"values\":[");
    bool isFirstEntry = true;
    for (int index = 0; index < count; index++) {
        if (all[index].stream != stream) continue;
        at += sprintf(at, "%s[\"%" PRId64 "\",", isFirstEntry ? "" : ",", all[index].time);
        at = put_json_text(at, all[index].text, all[index].size);
        *at++ = ']';
        isFirstEntry = false;
    }
    return stpcpy(at, "]}");
}

// One push of lines, in the form that was asked for.
static size_t compose(const struct log_line *all, int count, char *plain, char *body, size_t room) {
    bool has[LOG_STREAMS] = {false}, isFirst = true;
    for (int index = 0; index < count; index++) has[all[index].stream] = true;
    char *at = asJSON ? stpcpy(plain, "{\"streams\":[") : plain;
    for (int stream = 0; stream < LOG_STREAMS; stream++) {
        if (!has[stream]) continue;
        at = asJSON ? put_json_stream(at, stream, all, count, isFirst) : put_protobuf_stream(at, stream, all, count);
        isFirst = false;
    }
    if (asJSON) {
        at = stpcpy(at, "]}");
        memcpy(body, plain, (size_t)(at - plain));
        return (size_t)(at - plain);
    }
    if (snappy_compress(plain, (size_t)(at - plain), body, &room) != SNAPPY_OK) fail("snappy");
    return room;
}

static void push(int descriptor, const char *body, size_t bytes, int count, char *answer) {
    char head[HEAD_BYTES];
    int size = snprintf(head, sizeof head, "POST /loki/api/v1/push HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\n"
        "Content-Length: %zu\r\n\r\n", asJSON ? "application/json" : "application/x-protobuf", bytes);
    for (int status = 0, refused = 0; status != 204;) {
        uint64_t began = nanoseconds(CLOCK_MONOTONIC);
        send_all(descriptor, head, (size_t)size);
        send_all(descriptor, body, bytes);
        status = receive(descriptor, answer);
        if (status != 204 && status != 503 && status != 429) fail(answer);
        pthread_mutex_lock(&lock);
        histogram_record(&latency, nanoseconds(CLOCK_MONOTONIC) - began);
        if (status == 204) pushed += (uint64_t)count, sentBytes += bytes;
        else again++;
        pthread_mutex_unlock(&lock);
        if (status != 204 && ++refused > REFUSALS) fail("refused for a minute");
        if (status != 204) usleep(50000);
    }
}

static void *run_client(void *unused) {
    (void)unused;
    struct log_line *all = malloc((size_t)batch * sizeof *all);
    size_t room = (size_t)batch * (LOG_LINE_BYTES + ENTRY_BYTES) * 2 + LOG_STREAMS * 2 * LABEL_BYTES;
    char *text = malloc((size_t)batch * LOG_LINE_BYTES), *plain = malloc(room), *body = malloc(room * 2);
    char *answer = malloc(ANSWER_BYTES);
    if (!all || !text || !plain || !body || !answer) fail("malloc");
    int descriptor = open_connection(port);
    for (;;) {
        int count = 0;
        char *at = text;
        pthread_mutex_lock(&lock);
        while (count < batch && log_lines_next(&lines, &all[count], at)) at += all[count++].size;
        pthread_mutex_unlock(&lock);
        if (count == 0) return NULL;
        push(descriptor, body, compose(all, count, plain, body, room * 2), count, answer);
    }
}

static void write_files(void) {
    FILE *files[LOG_STREAMS];
    char name[4096], file[64], text[LOG_LINE_BYTES];
    for (int stream = 0; stream < LOG_STREAMS; stream++) {
        log_file_name(stream, file, sizeof file);
        snprintf(name, sizeof name, "%s/%s", directory, file);
        if (!(files[stream] = fopen(name, "w"))) fail(name);
    }
    for (struct log_line line; log_lines_next(&lines, &line, text); pushed++) {
        fwrite(text, 1, line.size, files[line.stream]);
        fputc('\n', files[line.stream]);
    }
    for (int stream = 0; stream < LOG_STREAMS; stream++)
        if (fclose(files[stream]) != 0) fail("close");
}

static void print_facts(void) {
    const struct log_facts *facts = &lines.facts;
    printf("\"rawBytes\":%" PRIu64 ",\"levels\":{\"debug\":%" PRIu64 ",\"info\":%" PRIu64 ",\"warn\":%" PRIu64
        ",\"error\":%" PRIu64 "},\"timeouts\":%" PRIu64 ",\"refusedErrors\":%" PRIu64 ",\"status503\":%" PRIu64
        ",\"needles\":%" PRIu64 ",\"podBytes\":{", facts->bytes, facts->levels[0], facts->levels[1], facts->levels[2],
        facts->levels[3], facts->timeouts, facts->refusedErrors, facts->status503, facts->needles);
    for (int stream = 0; stream < LOG_STREAMS; stream++) {
        char file[64];
        log_file_name(stream, file, sizeof file);
        printf("%s\"%.*s\":%" PRIu64, stream ? "," : "", (int)(strlen(file) - 4), file, facts->podBytes[stream]);
    }
    printf("}}\n");
}

static bool parse(int count, char **arguments) {
    for (int index = 1; index < count; index += 2) {
        const char *name = arguments[index], *value = index + 1 < count ? arguments[index + 1] : "0";
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--directory")) directory = value;
        else if (!strcmp(name, "--lines")) lines.count = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--start")) lines.start = atoll(value);
        else if (!strcmp(name, "--span")) lines.span = atoll(value) * 1000000000;
        else if (!strcmp(name, "--seed")) seed = strtoull(value, NULL, 10);
        else if (!strcmp(name, "--clients")) clients = atoi(value);
        else if (!strcmp(name, "--batch")) batch = atoi(value);
        else if (!strcmp(name, "--class")) class = value;
        else if (!strcmp(name, "--format")) asJSON = !strcmp(value, "json");
        else return false;
    }
    return (port > 0 || directory) && clients > 0 && clients <= CLIENTS && batch > 0 && batch <= 100000
        && lines.count > 0 && lines.span > 0;
}

int main(int count, char **arguments) {
    if (!parse(count, arguments)) {
        fprintf(stderr, "usage: see the head of log_load.c\n");
        return 2;
    }
    log_lines_open(&lines, seed);
    pthread_t threads[CLIENTS];
    uint64_t began = nanoseconds(CLOCK_MONOTONIC), used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    if (directory) write_files();
    for (int index = 0; index < clients && !directory; index++)
        if (pthread_create(&threads[index], NULL, run_client, NULL) != 0) fail("pthread_create");
    for (int index = 0; index < clients && !directory; index++) pthread_join(threads[index], NULL);
    printf("{\"lines\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"seconds\":%.6f,"
        "\"generatorCPU\":%.6f,", pushed, sentBytes, again, (double)(nanoseconds(CLOCK_MONOTONIC) - began) / 1e9,
        (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / 1e9);
    histogram_print(stdout, "latency", &latency);
    printf(",");
    print_facts();
    return 0;
}
