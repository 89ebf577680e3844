// OffsetCommit requests, version 8: one group without members, one topic, one partition.
#include "load.h"

enum { SLOTS = 64, REQUEST_ROOM = 512 };

static size_t put_request(uint8_t *start, uint32_t correlation, uint32_t partition) {
    uint8_t *at = start + 4;
    at = put_int16(at, API_OFFSET_COMMIT);
    at = put_int16(at, 8);
    at = put_int32(at, correlation);
    at = put_string(at, "bench");
    at = put_int8(at, 0);
    at = put_compact_string(at, "bench");      // group
    at = put_int32(at, (uint32_t)-1);          // generation: none
    at = put_compact_string(at, "");           // member: none
    at = put_varint(at, 0);                    // no instance id
    at = put_varint(at, 2);
    at = put_compact_string(at, settings.topic);
    at = put_varint(at, 2);
    at = put_int32(at, partition);
    at = put_int64(at, correlation);           // offset
    at = put_int32(at, (uint32_t)-1);          // leader epoch
    at = put_compact_string(at, "");           // metadata
    at = put_bytes(at, "\0\0\0", 3);           // tags of partition, topic, request
    put_int32(start, (uint32_t)(at - start - 4));
    return (size_t)(at - start);
}

void commit_prepare(struct connection *connection) {
    uint32_t partition = (uint32_t)(connection->number % settings.partitions);
    connection->slots = SLOTS;
    connection->ring = malloc(REQUEST_ROOM * SLOTS);
    uint8_t *at = connection->ring;
    for (uint32_t slot = 0; slot < SLOTS; slot++) at += put_request(at, slot, partition);
    connection->slotBytes = (size_t)(at - connection->ring) / SLOTS;
    connection->input = malloc(INPUT_BYTES);
}

static void read_response(struct connection *connection, struct reader *response) {
    uint32_t correlation = (uint32_t)get_int32(response);
    if (correlation != connection->answered % SLOTS) fail("responses out of order");
    skip_tags(response);
    get_int32(response);                       // throttle time
    uint64_t topics = get_varint(response) - 1;
    skip_string(response, true);
    uint64_t partitions = get_varint(response) - 1;
    get_int32(response);
    int error = get_int16(response);
    if (topics != 1 || partitions != 1 || response->bad) fail("a malformed commit response");
    answered(connection, error, 0);
}

bool commit_receive(struct connection *connection) {
    return receive_responses(connection, read_response);
}
