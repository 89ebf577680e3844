// What the programs that write over HTTP have in common: a connection that is kept open, and whole answers.
#ifndef MILLRACE_BENCH_HTTP_CLIENT_H
#define MILLRACE_BENCH_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { ANSWER_BYTES = 64 << 10, STALL_SECONDS = 60 };

// Says what failed, with the program's name, and ends it.
_Noreturn void fail(const char *what);

static int open_connection(int port) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct timeval stall = {.tv_sec = STALL_SECONDS};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
    return descriptor;
}

static void send_all(int descriptor, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(descriptor, bytes, count, MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        bytes += sent;
        count -= (size_t)sent;
    }
}

// The bytes of the body that the head announces; the whole answer must fit.
static size_t body_bytes(const char *head) {
    const char *length = strcasestr(head, "\r\ncontent-length:");
    if (strcasestr(head, "\r\ntransfer-encoding:")) fail("an answer in chunks, which this program does not read");
    return length ? strtoull(length + 17, NULL, 10) : 0;
}

// Reads one answer and returns its status; `answer` then holds it, ended with a zero.
static int receive(int descriptor, char *answer) {
    size_t count = 0;
    for (;;) {
        ssize_t got = recv(descriptor, answer + count, ANSWER_BYTES - 1 - count, 0);
        if (got <= 0) fail("recv");
        count += (size_t)got;
        answer[count] = 0;
        char *end = strstr(answer, "\r\n\r\n");
        if (!end) continue;
        int status = atoi(answer + 9);
        char kept = end[2];
        end[2] = 0;
        size_t body = status == 204 ? 0 : body_bytes(answer);
        end[2] = kept;
        if (count >= (size_t)(end + 4 - answer) + body) return status;
        if (count == ANSWER_BYTES - 1) fail("an answer too long");
    }
}

#endif
