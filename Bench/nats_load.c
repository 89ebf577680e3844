// Pipelined publishes to a JetStream stream with file storage, each acknowledged.
//
//   nats_load --port N [--connections 4] [--in-flight 64] [--requests N] [--value-bytes 100]
//
// Creates the stream `bench` on the first run. Every message carries a reply subject, so JetStream answers it
// when it has stored it; `in-flight` of them are open per connection. Prints one line of JSON.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stats.h"

enum { INPUT_BYTES = 256 << 10, CONNECTIONS = 64, STALL_MILLISECONDS = 15000, RING = 256 };

struct connection {
    int descriptor;
    char *ring;
    size_t slotBytes, inputCount;
    uint64_t quota, scheduled, answered, sentBytes;
    uint64_t *times;
    char *input;
};

static int port, connectionCount = 4, inFlight = 64, valueBytes = 100;
static long long requests = 100000;
static uint64_t now, errors;
static struct histogram latency;

static void fail(const char *what) {
    fprintf(stderr, "nats_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

// Appends what has arrived. False when nothing is there yet.
static bool receive(struct connection *connection) {
    ssize_t count = recv(connection->descriptor, connection->input + connection->inputCount,
        INPUT_BYTES - connection->inputCount - 1, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) fail("recv");
    if (count < 0) return false;
    connection->inputCount += (size_t)count;
    connection->input[connection->inputCount] = 0;
    return true;
}

static void say(struct connection *connection, const char *text) {
    if (send(connection->descriptor, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) fail("send");
}

// Waits for a text, then forgets all input up to its end of line.
static void expect(struct connection *connection, const char *text) {
    char *found;
    while (!(found = strstr(connection->input, text)) || !strstr(found, "\r\n")) {
        if (strstr(connection->input, "-ERR")) fail(connection->input);
        if (!receive(connection)) continue;
    }
    connection->inputCount = 0;
    connection->input[0] = 0;
}

static void handle(struct connection *connection, const char *payload) {
    if (strncmp(payload, "{\"stream\"", 9) != 0) errors++;
    histogram_record(&latency, now - connection->times[connection->answered % (uint64_t)inFlight]);
    connection->answered++;
}

// MSG <subject> <sid> <bytes>\r\n<payload>\r\n, +OK, PING. Returns the bytes used up.
static size_t parse_one(struct connection *connection, char *at, char *end) {
    char *line = memchr(at, '\n', (size_t)(end - at));
    if (!line) return 0;
    if (!strncmp(at, "PING", 4)) say(connection, "PONG\r\n");
    if (!strncmp(at, "-ERR", 4)) fail(at);
    if (strncmp(at, "MSG ", 4) != 0) return (size_t)(line + 1 - at);
    char *size = line - 1;
    while (size[-1] != ' ') size--;
    size_t whole = (size_t)(line + 1 - at) + (size_t)atoi(size) + 2;
    if ((size_t)(end - at) < whole) return 0;
    handle(connection, line + 1);
    return whole;
}

static void drain(struct connection *connection) {
    if (!receive(connection)) return;
    char *at = connection->input, *end = at + connection->inputCount;
    for (size_t used; at < end && (used = parse_one(connection, at, end)) > 0;) at += used;
    connection->inputCount = (size_t)(end - at);
    memmove(connection->input, at, connection->inputCount);
}

// Sends as much as the window allows; true if the socket is full.
static bool transmit(struct connection *connection) {
    while (connection->scheduled < connection->quota
        && connection->scheduled - connection->answered < (uint64_t)inFlight)
        connection->times[connection->scheduled++ % (uint64_t)inFlight] = now;
    uint64_t ringBytes = RING * connection->slotBytes;
    while (connection->sentBytes < connection->scheduled * connection->slotBytes) {
        uint64_t at = connection->sentBytes % ringBytes;
        uint64_t count = connection->scheduled * connection->slotBytes - connection->sentBytes;
        if (count > ringBytes - at) count = ringBytes - at;
        ssize_t sent = send(connection->descriptor, connection->ring + at, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) return true;
        if (sent < 0) fail("send");
        connection->sentBytes += (uint64_t)sent;
    }
    return false;
}

static void build(struct connection *connection, int number) {
    connection->ring = malloc(RING * ((size_t)valueBytes + 64));
    connection->times = calloc((size_t)inFlight, sizeof *connection->times);
    char *at = connection->ring;
    for (int slot = 0; slot < RING; slot++) {
        at += sprintf(at, "PUB bench.data _R.%03d %d\r\n", number, valueBytes);
        memset(at, 'v', (size_t)valueBytes);
        at += valueBytes;
        at += sprintf(at, "\r\n");
    }
    connection->slotBytes = (size_t)(at - connection->ring) / RING;
    connection->quota = (uint64_t)(requests / connectionCount);
}

static void open_connection(struct connection *connection, int number) {
    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connection->input = calloc(1, INPUT_BYTES);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    int one = 1;
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    expect(connection, "INFO ");
    char subscription[128];
    sprintf(subscription, "SUB _R.%03d 1\r\nPING\r\n", number);
    say(connection, "CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":false}\r\n");
    say(connection, subscription);
    expect(connection, "PONG");
    if (number == 0) {
        const char *stream = "{\"name\":\"bench\",\"subjects\":[\"bench.*\"],\"storage\":\"file\","
            "\"retention\":\"limits\",\"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,"
            "\"num_replicas\":1,\"discard\":\"old\"}";
        char request[1024];
        sprintf(request, "SUB _C 2\r\nPUB $JS.API.STREAM.CREATE.bench _C %zu\r\n%s\r\n", strlen(stream), stream);
        say(connection, request);
        expect(connection, "stream_create_response");
    }
    build(connection, number);
    fcntl(connection->descriptor, F_SETFL, O_NONBLOCK);
}

static void run(struct connection *connections) {
    struct pollfd polled[CONNECTIONS];
    for (;;) {
        int open = 0;
        for (int index = 0; index < connectionCount; index++) {
            bool full = transmit(&connections[index]);
            polled[index] = (struct pollfd){.fd = connections[index].descriptor, .events = POLLIN};
            if (full) polled[index].events |= POLLOUT;
            open += connections[index].answered < connections[index].quota;
        }
        if (open == 0) return;
        if (poll(polled, (nfds_t)connectionCount, STALL_MILLISECONDS) == 0) fail("stalled");
        now = nanoseconds(CLOCK_MONOTONIC);
        for (int index = 0; index < connectionCount; index++)
            if (polled[index].revents & POLLIN) drain(&connections[index]);
    }
}

static bool parse(int count, char **arguments) {
    for (int index = 1; index < count; index += 2) {
        const char *name = arguments[index], *value = index + 1 < count ? arguments[index + 1] : "0";
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--connections")) connectionCount = atoi(value);
        else if (!strcmp(name, "--in-flight")) inFlight = atoi(value);
        else if (!strcmp(name, "--requests")) requests = atoll(value);
        else if (!strcmp(name, "--value-bytes")) valueBytes = atoi(value);
        else return false;
    }
    return port > 0 && connectionCount > 0 && connectionCount <= CONNECTIONS && inFlight > 0 && valueBytes > 0
        && valueBytes <= 65536 && requests >= connectionCount;
}

int main(int count, char **arguments) {
    if (!parse(count, arguments)) {
        fprintf(stderr, "usage: see the head of nats_load.c\n");
        return 2;
    }
    static struct connection connections[CONNECTIONS];
    for (int index = 0; index < connectionCount; index++) open_connection(&connections[index], index);
    uint64_t began = now = nanoseconds(CLOCK_MONOTONIC), used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    run(connections);
    printf("{\"requests\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"generatorCPU\":%.6f,\"errors\":%llu,",
        (unsigned long long)latency.count, (unsigned long long)latency.count * (unsigned long long)valueBytes,
        (double)(now - began) / 1e9, (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / 1e9,
        (unsigned long long)errors);
    histogram_print(stdout, "latency", &latency);
    printf("}\n");
    return errors > 0;
}
