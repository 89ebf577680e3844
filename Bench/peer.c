// The program Millrace is measured against: the least that can be called a log behind Kafka's wire.
//
//   peer --directory DIR [--threads N] [--batch-bytes B --batch-records R] [--sync-ms MS]
//
// epoll, bulk reads. A produce request is found by its length, the CRC-32C of its batch is checked, the batch
// goes with pwrite to a preallocated file, and a minimal response leaves, one send per read. A fetch request is
// answered with sendfile. It knows one topic whatever the name, up to 4,096 partitions, one batch per partition
// and request, and finds a batch by arithmetic, because all batches of a partition have B bytes and R records.
// It has no index, no validation but the CRC, no producer state, no retention, no limits, no timeouts, and does
// not sync unless --sync-ms says how often. It listens on a free port and prints `ready port=N`.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

enum { READ_BYTES = 1 << 20, LARGE_REST = 64 << 10, INPUT_BYTES = 2 << 20, FRAME_LIMIT = INPUT_BYTES - 64 };
enum { OUTPUT_BYTES = 256 << 10 };

struct settings settings = {.threads = 2, .batchBytes = 65536, .batchRecords = 64};

struct connection {
    int descriptor;
    bool writing;                     // EPOLLOUT is asked for
    uint8_t *input;
    size_t inputStart, inputEnd;
    size_t wanted;                    // size of the frame that is not yet whole
    uint8_t *output;
    size_t outputStart, outputEnd;
    struct slice file;                // goes out after `output`, then `trailer` zero bytes
    size_t trailer;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void drop(struct connection *connection) {
    close(connection->descriptor);
    free(connection->input);
    free(connection->output);
    free(connection);
}

// Sends what waits. Returns 1 when all is out, 0 when the socket is full, -1 when it is broken.
static int flush(struct connection *connection) {
    while (connection->outputStart < connection->outputEnd) {
        int more = connection->file.count > 0 ? MSG_MORE : 0;
        ssize_t sent = send(connection->descriptor, connection->output + connection->outputStart,
            connection->outputEnd - connection->outputStart, MSG_NOSIGNAL | more);
        if (sent < 0) return errno == EAGAIN ? 0 : -1;
        connection->outputStart += (size_t)sent;
    }
    connection->outputStart = connection->outputEnd = 0;
    while (connection->file.count > 0) {
        ssize_t sent = sendfile(connection->descriptor, connection->file.descriptor, &connection->file.position,
            connection->file.count);
        if (sent <= 0) return sent < 0 && errno == EAGAIN ? 0 : -1;
        connection->file.count -= (size_t)sent;
    }
    if (connection->trailer > 0) {
        memset(connection->output, 0, connection->trailer);
        connection->outputEnd = connection->trailer;
        connection->trailer = 0;
        return flush(connection);
    }
    return 1;
}

// Answers the whole frames that lie in `input`, as far as the responses fit. Returns like `flush`.
static int answer(struct connection *connection) {
    for (;;) {
        if (OUTPUT_BYTES - connection->outputEnd < RESPONSE_LIMIT || connection->file.count + connection->trailer > 0) {
            int state = flush(connection);
            if (state <= 0) return state;
        }
        size_t available = connection->inputEnd - connection->inputStart;
        const uint8_t *start = connection->input + connection->inputStart;
        struct reader reader = {.at = start, .end = start + available};
        connection->wanted = 4;
        if (available < 4) break;
        size_t length = (size_t)get_int32(&reader);
        if (length > FRAME_LIMIT) return -1;
        connection->wanted = 4 + length;
        if (available < connection->wanted) break;
        reader.end = reader.at + length;
        struct response response = {.bytes = connection->output + connection->outputEnd};
        if (!handle(&reader, &response)) return -1;
        connection->inputStart += 4 + length;
        connection->outputEnd += response.count;
        connection->file = response.file;
        connection->trailer = response.trailer;
    }
    if (connection->inputStart == connection->inputEnd) {
        connection->inputStart = connection->inputEnd = 0;
    } else if (connection->inputStart + connection->wanted > INPUT_BYTES) {
        memmove(connection->input, connection->input + connection->inputStart,
            connection->inputEnd - connection->inputStart);
        connection->inputEnd -= connection->inputStart;
        connection->inputStart = 0;
    }
    return flush(connection);
}

// How much to read: the rest of a large frame and no more, so that nothing is left to be moved; else much.
static size_t bulk(const struct connection *connection) {
    size_t room = INPUT_BYTES - connection->inputEnd, available = connection->inputEnd - connection->inputStart;
    size_t rest = connection->wanted > available ? connection->wanted - available : 0;
    if (rest >= LARGE_REST) return rest < room ? rest : room;
    return room < READ_BYTES ? room : READ_BYTES;
}

// One read, then the answers. Returns false when the connection is over.
static bool serve(struct connection *connection, int epoll) {
    if (!connection->writing) {
        ssize_t count = recv(connection->descriptor, connection->input + connection->inputEnd, bulk(connection), 0);
        if (count == 0 || (count < 0 && errno != EAGAIN)) return false;
        if (count > 0) connection->inputEnd += (size_t)count;
    }
    int state = answer(connection);
    if (state < 0) return false;
    if ((state == 0) != connection->writing) {
        connection->writing = state == 0;
        struct epoll_event event = {.events = state == 0 ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
        epoll_ctl(epoll, EPOLL_CTL_MOD, connection->descriptor, &event);
    }
    return true;
}

static void *loop(void *argument) {
    int epoll = (int)(intptr_t)argument;
    struct epoll_event events[64];
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int index = 0; index < count; index++)
            if (!serve(events[index].data.ptr, epoll)) drop(events[index].data.ptr);
    }
    return NULL;
}

static void accept_into(int listener, const int *epolls) {
    for (unsigned number = 0;; number++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) continue;
        int one = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->descriptor = descriptor;
        connection->input = malloc(INPUT_BYTES);
        connection->output = malloc(OUTPUT_BYTES);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(epolls[number % (unsigned)settings.threads], EPOLL_CTL_ADD, descriptor, &event);
    }
}

static void parse(int count, char **arguments) {
    for (int index = 1; index + 1 < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (!strcmp(name, "--directory")) settings.directory = value;
        else if (!strcmp(name, "--threads")) settings.threads = atoi(value);
        else if (!strcmp(name, "--batch-bytes")) settings.batchBytes = atoll(value);
        else if (!strcmp(name, "--batch-records")) settings.batchRecords = atoll(value);
        else if (!strcmp(name, "--sync-ms")) settings.syncMilliseconds = atoi(value);
        else settings.threads = 0;
    }
    if (settings.directory && settings.threads >= 1 && settings.threads <= 64 && count % 2 == 1) return;
    fprintf(stderr, "usage: peer --directory DIR [--threads N] [--batch-bytes B] [--batch-records R] [--sync-ms MS]\n");
    exit(2);
}

int main(int count, char **arguments) {
    parse(count, arguments);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1024) < 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    settings.port = ntohs(address.sin_port);
    int epolls[64];
    pthread_t thread;
    for (int index = 0; index < settings.threads; index++) {
        epolls[index] = epoll_create1(EPOLL_CLOEXEC);
        if (pthread_create(&thread, NULL, loop, (void *)(intptr_t)epolls[index]) != 0) fail("pthread_create");
    }
    if (settings.syncMilliseconds > 0 && pthread_create(&thread, NULL, sync_regularly, NULL) != 0)
        fail("pthread_create");
    printf("ready port=%d\n", settings.port);
    fflush(stdout);
    accept_into(listener, epolls);
}
