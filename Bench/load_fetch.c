// Fetch requests, version 12: one topic, one partition, no session. The head of a response is read; the
// batches are thrown away inside the kernel (MSG_TRUNC), or read and checked with --verify.
#include <errno.h>
#include <sys/socket.h>

#include "load.h"

// Position of the offset in a request, from its end: offset, last epoch, log start, limit, four endings.
enum { OFFSET_FROM_END = 8 + 4 + 8 + 4 + 1 + 1 + 1 + 1 + 1 };
// A response's bytes before the records' length, without the topic's name, and the most that the length takes
// (a response without records has that much after it, too, so a head is never longer than a response).
enum { HEAD_BYTES = 57, LENGTH_BYTES = 4 };

static size_t put_request(uint8_t *start, uint32_t correlation, uint32_t partition) {
    uint8_t *at = start + 4;
    at = put_int16(at, API_FETCH);
    at = put_int16(at, 12);
    at = put_int32(at, correlation);
    at = put_string(at, "bench");
    at = put_int8(at, 0);
    at = put_int32(at, (uint32_t)-1);                        // replica
    at = put_int32(at, 500);                                 // max wait, milliseconds
    at = put_int32(at, 1);                                   // min bytes
    at = put_int32(at, 64 << 20);                            // max bytes
    at = put_int8(at, 0);                                    // read uncommitted
    at = put_int32(at, 0);                                   // session id and epoch: none
    at = put_int32(at, (uint32_t)-1);
    at = put_varint(at, 2);
    at = put_compact_string(at, settings.topic);
    at = put_varint(at, 2);
    at = put_int32(at, partition);
    at = put_int32(at, (uint32_t)-1);                        // leader epoch
    at = put_int64(at, 0);                                   // offset: patched
    at = put_int32(at, (uint32_t)-1);                        // last fetched epoch
    at = put_int64(at, (uint64_t)-1);                        // log start offset
    at = put_int32(at, (uint32_t)settings.maximumBytes);
    at = put_bytes(at, "\0\0", 2);                           // tags of partition and topic
    at = put_varint(at, 1);                                  // no forgotten topics
    at = put_varint(at, 1);                                  // no rack
    at = put_int8(at, 0);
    put_int32(start, (uint32_t)(at - start - 4));
    return (size_t)(at - start);
}

void fetch_prepare(struct connection *connection) {
    uint32_t partition = (uint32_t)(connection->number % settings.partitions);
    connection->slots = (uint64_t)settings.inFlight;
    connection->ring = malloc(1024 * connection->slots);
    uint8_t *at = connection->ring;
    for (uint32_t slot = 0; slot < connection->slots; slot++) at += put_request(at, slot, partition);
    connection->slotBytes = (size_t)(at - connection->ring) / connection->slots;
    connection->input = malloc(1024);
    connection->headBytes = HEAD_BYTES + strlen(settings.topic) + LENGTH_BYTES;
    connection->body = malloc((size_t)settings.maximumBytes + 4096);
}

void fetch_patch(struct connection *connection, uint64_t sequence) {
    uint8_t *slot = connection->ring + sequence % connection->slots * connection->slotBytes;
    put_int64(slot + connection->slotBytes - OFFSET_FROM_END, (uint64_t)connection->offset);
    int64_t batches = settings.maximumBytes / settings.batchBytes;
    connection->offset += (batches > 0 ? batches : 1) * settings.batchRecords;
    if (connection->offset >= settings.endOffset) connection->offset = 0;
}

static void verify(const uint8_t *at, size_t count) {
    const uint8_t *end = at + count;
    while (at < end) {
        struct reader header = {.at = at + 8, .end = end};
        size_t length = (size_t)get_int32(&header) + 12;
        if (header.bad || length > (size_t)(end - at)) fail("a batch was cut off");
        if (!batch_checksum_matches(at, length)) fail("a wrong CRC");
        at += length;
    }
}

// Reads the head. What belongs to the body of it is kept for --verify.
static void read_head(struct connection *connection) {
    struct reader head = {.at = connection->input, .end = connection->input + connection->headBytes};
    size_t length = (size_t)get_int32(&head);
    uint32_t correlation = (uint32_t)get_int32(&head);
    if (correlation != connection->answered % connection->slots) fail("responses out of order");
    skip_tags(&head);
    get_int32(&head);
    int error = get_int16(&head);
    get_int32(&head);
    uint64_t topics = get_varint(&head) - 1;
    skip_string(&head, true);
    uint64_t partitions = get_varint(&head) - 1;
    get_int32(&head);
    int partitionError = get_int16(&head);
    take(&head, 8 + 8 + 8);
    uint64_t aborted = get_varint(&head);
    get_int32(&head);
    uint64_t records = get_varint(&head);
    if (head.bad || topics != 1 || partitions != 1 || aborted > 1) fail("a malformed fetch response");
    records = records > 0 ? records - 1 : 0;
    if (error == 0) error = partitionError;
    if (error == 0 && (records == 0 || records % (uint64_t)settings.batchBytes != 0)) error = -2;
    connection->error = error;
    connection->records = records;
    connection->inputCount = 0;
    connection->bodyLeft = length + 4 - connection->headBytes;
    if (!settings.verify) return;
    if (length > (size_t)settings.maximumBytes + 2048) fail("more than the limit");
    connection->bodyCount = (size_t)(head.end - head.at);
    memcpy(connection->body, head.at, connection->bodyCount);
}

static void finish(struct connection *connection) {
    if (settings.verify && connection->error == 0) verify(connection->body, connection->records);
    answered(connection, connection->error, connection->records);
}

static ssize_t receive_body(struct connection *connection) {
    if (!settings.verify) return recv(connection->descriptor, NULL, connection->bodyLeft, MSG_TRUNC);
    ssize_t count = recv(connection->descriptor, connection->body + connection->bodyCount, connection->bodyLeft, 0);
    if (count > 0) connection->bodyCount += (size_t)count;
    return count;
}

bool fetch_receive(struct connection *connection) {
    for (;;) {
        ssize_t count = connection->bodyLeft > 0 ? receive_body(connection)
            : recv(connection->descriptor, connection->input + connection->inputCount,
                connection->headBytes - connection->inputCount, 0);
        if (count <= 0) return count < 0 && errno == EAGAIN;
        if (connection->bodyLeft > 0) {
            connection->bodyLeft -= (size_t)count;
        } else {
            connection->inputCount += (size_t)count;
            if (connection->inputCount < connection->headBytes) continue;
            read_head(connection);
        }
        if (connection->bodyLeft == 0) return finish(connection), true;
    }
}
