// The load generator: many requests over a few connections, with next to no work of its own.
//
//   load produce|fetch|commit --port N --topic NAME [--connections 4] [--in-flight 8] [--partitions 1]
//        [--requests N | --seconds S] [--batch-bytes B | --value-bytes V] [--batch-records R]
//   produce: [--acks 1] [--version 11] [--spread 1]      fetch: [--maximum-bytes N] [--end-offset N] [--verify 1]
//
// Connection number c works on partition c modulo the partitions; with --spread each request goes to the next
// partition. To commit is to store an offset of the group "bench" that has no members. The topic must exist. With acks=0 a last request with acks=all ends each connection's run, so that
// the clock stops when the server has handled everything. Prints one line of JSON.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { STALL_MILLISECONDS = 15000 };

struct settings settings = {.connections = 4, .inFlight = 8, .acks = 1, .version = 11, .partitions = 1,
    .batchRecords = 1, .valueBytes = 100, .maximumBytes = 65536};
struct totals totals;

static int epoll, running;
static uint64_t now, deadline;

void fail(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

void answered(struct connection *connection, int error, uint64_t bytes) {
    totals.requests++;
    totals.bytes += bytes;
    if (error != 0 && totals.errors++ == 0) totals.firstError = error;
    histogram_record(&totals.latency, now - connection->times[connection->answered % (uint64_t)settings.inFlight]);
    connection->answered++;
}

static bool silent(const struct connection *connection) {
    return settings.job == JOB_PRODUCE && settings.acks == 0 && !connection->fenced;
}

// Makes room for further requests, as far as the quota and the window allow.
static void schedule(struct connection *connection) {
    if (deadline > 0 && now >= deadline && connection->quota > connection->scheduled)
        connection->quota = connection->scheduled;
    while (connection->scheduled < connection->quota
        && connection->scheduled - connection->answered < (uint64_t)settings.inFlight) {
        connection->times[connection->scheduled % (uint64_t)settings.inFlight] = now;
        if (settings.job == JOB_FETCH) fetch_patch(connection, connection->scheduled);
        connection->scheduled++;
    }
}

// With acks=0 what is sent counts as answered; at the end the fence follows: the slot behind the last one.
static void account_silently(struct connection *connection) {
    uint64_t sent = connection->sentBytes / connection->slotBytes;
    totals.requests += sent - connection->answered;
    connection->answered = sent;
    schedule(connection);
    if (sent < connection->quota) return;
    connection->fenced = true;
    connection->ring += connection->slots * connection->slotBytes;
    connection->slots = 1;
    connection->quota++;
    schedule(connection);
}

static void watch(struct connection *connection, bool writing) {
    if (connection->writing == writing) return;
    connection->writing = writing;
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
}

static void transmit(struct connection *connection) {
    schedule(connection);
    for (int turn = 0; connection->sentBytes < connection->scheduled * connection->slotBytes; turn++) {
        uint64_t ringBytes = connection->slots * connection->slotBytes, at = connection->sentBytes % ringBytes;
        uint64_t count = connection->scheduled * connection->slotBytes - connection->sentBytes;
        if (count > ringBytes - at) count = ringBytes - at;
        ssize_t sent = turn < 64 ? send(connection->descriptor, connection->ring + at, count, MSG_NOSIGNAL) : -1;
        if (sent < 0 && turn < 64 && errno != EAGAIN) fail("send");
        if (sent < 0) return watch(connection, true);
        connection->sentBytes += (uint64_t)sent;
        if (silent(connection)) account_silently(connection);
    }
    watch(connection, false);
    if (connection->answered == connection->quota && !connection->finished) {
        connection->finished = true;
        running--;
    }
}

static void open_connection(struct connection *connection, int number) {
    connection->number = number;
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)settings.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    int one = 1;
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(connection->descriptor, F_SETFL, O_NONBLOCK);
    long long share = settings.requests / settings.connections + (number < settings.requests % settings.connections);
    connection->quota = settings.requests > 0 ? (uint64_t)share : UINT64_MAX / 2;
    connection->times = calloc((size_t)settings.inFlight, sizeof *connection->times);
    switch (settings.job) {
    case JOB_PRODUCE: produce_prepare(connection); break;
    case JOB_FETCH: fetch_prepare(connection); break;
    case JOB_COMMIT: commit_prepare(connection); break;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(epoll, EPOLL_CTL_ADD, connection->descriptor, &event);
}

bool receive_responses(struct connection *connection, void (*read)(struct connection *, struct reader *)) {
    ssize_t count = recv(connection->descriptor, connection->input + connection->inputCount,
        INPUT_BYTES - connection->inputCount, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    connection->inputCount += (size_t)count;
    uint8_t *at = connection->input, *end = at + connection->inputCount;
    while (end - at >= 4) {
        struct reader response = {.at = at, .end = end};
        size_t length = (size_t)get_int32(&response);
        if (length > INPUT_BYTES - 4) fail("a response of absurd size");
        if ((size_t)(end - response.at) < length) break;
        at += 4 + length;
        response.end = at;
        read(connection, &response);
    }
    connection->inputCount = (size_t)(end - at);
    if (at != connection->input) memmove(connection->input, at, connection->inputCount);
    return true;
}

static bool receive(struct connection *connection) {
    switch (settings.job) {
    case JOB_PRODUCE: return produce_receive(connection);
    case JOB_FETCH: return fetch_receive(connection);
    case JOB_COMMIT: return commit_receive(connection);
    }
    return false;
}

static void run(struct connection *connections) {
    struct epoll_event events[64];
    running = settings.connections;
    errno = 0;
    for (int index = 0; index < settings.connections; index++) transmit(&connections[index]);
    while (running > 0) {
        int count = epoll_wait(epoll, events, 64, STALL_MILLISECONDS);
        if (count == 0) fail("stalled");
        now = nanoseconds(CLOCK_MONOTONIC);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !receive(connection))
                fail("the server closed the connection");
            transmit(connection);
        }
    }
}

static bool parse_number(const char *name, const char *value) {
    const struct { const char *name; int *number; long long *large; } numbers[] = {
        {"--port", &settings.port, NULL}, {"--connections", &settings.connections, NULL},
        {"--in-flight", &settings.inFlight, NULL}, {"--acks", &settings.acks, NULL},
        {"--version", &settings.version, NULL}, {"--partitions", &settings.partitions, NULL},
        {"--requests", NULL, &settings.requests}, {"--batch-bytes", NULL, &settings.batchBytes},
        {"--batch-records", NULL, &settings.batchRecords}, {"--value-bytes", NULL, &settings.valueBytes},
        {"--maximum-bytes", NULL, &settings.maximumBytes}, {"--end-offset", NULL, &settings.endOffset}};
    for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++)
        if (!strcmp(name, numbers[index].name)) {
            if (numbers[index].number) *numbers[index].number = atoi(value);
            else *numbers[index].large = atoll(value);
            return true;
        }
    return false;
}

static bool parse_job(const char *name) {
    const char *names[] = {[JOB_PRODUCE] = "produce", [JOB_FETCH] = "fetch", [JOB_COMMIT] = "commit"};
    for (int job = JOB_PRODUCE; job <= JOB_COMMIT; job++)
        if (!strcmp(name, names[job])) return settings.job = (enum job)job, true;
    return false;
}

static void parse(int count, char **arguments) {
    bool good = count > 1 && count % 2 == 0 && parse_job(arguments[1]);
    for (int index = 2; good && index < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (!strcmp(name, "--topic")) settings.topic = value;
        else if (!strcmp(name, "--seconds")) settings.seconds = atof(value);
        else if (!strcmp(name, "--spread")) settings.spread = atoi(value);
        else if (!strcmp(name, "--verify")) settings.verify = atoi(value);
        else good = parse_number(name, value);
    }
    good = good && settings.topic && strlen(settings.topic) < 100 && settings.port > 0 && settings.connections > 0
        && settings.connections <= 4096 && settings.inFlight > 0 && settings.partitions > 0
        && settings.version >= 9 && settings.version <= 12
        && (settings.requests >= settings.connections || settings.seconds > 0);
    if (good) return;
    fprintf(stderr, "usage: see the head of load.c\n");
    exit(2);
}

int main(int count, char **arguments) {
    parse(count, arguments);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *connections = calloc((size_t)settings.connections, sizeof *connections);
    for (int index = 0; index < settings.connections; index++) open_connection(&connections[index], index);
    uint64_t began = now = nanoseconds(CLOCK_MONOTONIC), used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    if (settings.seconds > 0) deadline = began + (uint64_t)(settings.seconds * 1e9);
    run(connections);
    double wall = (double)(now - began) / 1e9, cpu = (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / 1e9;
    printf("{\"requests\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"generatorCPU\":%.6f,",
        (unsigned long long)totals.requests, (unsigned long long)totals.bytes, wall, cpu);
    printf("\"errors\":%llu,\"firstError\":%d,", (unsigned long long)totals.errors, totals.firstError);
    histogram_print(stdout, "latency", &totals.latency);
    printf("}\n");
    return totals.errors > 0;
}
