// Produce requests, versions 9 to 12: one topic, one partition, one batch, built before the clock starts.
#include "load.h"

// Slots that together stay within the processor's cache but let many small requests leave in one send.
enum { RING_BYTES = 128 << 10 };

static uint8_t *batch;
static size_t batchCount;

static void build_batch(void) {
    if (batch) return;
    size_t room = settings.batchBytes > 0 ? (size_t)settings.batchBytes
        : (size_t)(settings.batchRecords * (settings.valueBytes + 64));
    batch = malloc(room + 8192);
    uint64_t now = nanoseconds(CLOCK_REALTIME) / 1000000;
    batchCount = put_batch(batch, (int)settings.batchRecords, (size_t)settings.valueBytes,
        (size_t)settings.batchBytes, (int64_t)now);
    if (settings.batchBytes > 0 && batchCount != (size_t)settings.batchBytes) fail("no batch of exactly that size");
}

static size_t put_request(uint8_t *start, uint32_t correlation, int acks, uint32_t partition) {
    uint8_t *at = start + 4;
    at = put_int16(at, API_PRODUCE);
    at = put_int16(at, settings.version);
    at = put_int32(at, correlation);
    at = put_string(at, "bench");
    at = put_int8(at, 0);
    at = put_varint(at, 0);                    // no transactional id
    at = put_int16(at, acks);
    at = put_int32(at, 30000);                 // timeout, milliseconds
    at = put_varint(at, 2);
    at = put_compact_string(at, settings.topic);
    at = put_varint(at, 2);
    at = put_int32(at, partition);
    at = put_varint(at, batchCount + 1);
    at = put_bytes(at, batch, batchCount);
    at = put_bytes(at, "\0\0\0", 3);           // tags of partition, topic, request
    put_int32(start, (uint32_t)(at - start - 4));
    return (size_t)(at - start);
}

static uint32_t partition_of(const struct connection *connection, uint64_t slot) {
    uint64_t partitions = (uint64_t)settings.partitions, number = (uint64_t)connection->number;
    if (!settings.spread) return (uint32_t)(number % partitions);
    return (uint32_t)((number * partitions / (uint64_t)settings.connections + slot) % partitions);
}

void produce_prepare(struct connection *connection) {
    build_batch();
    size_t room = batchCount + 512;
    uint64_t slots = RING_BYTES / room < 2 ? 2 : RING_BYTES / room;
    if (settings.spread) slots = (slots / (uint64_t)settings.partitions + 1) * (uint64_t)settings.partitions;
    connection->slots = slots;
    connection->ring = malloc(room * (slots + 1));
    uint8_t *at = connection->ring;
    for (uint64_t slot = 0; slot < slots; slot++)
        at += put_request(at, (uint32_t)slot, settings.acks, partition_of(connection, slot));
    // The fence: answered when everything before it is written.
    connection->slotBytes = put_request(at, 0, -1, partition_of(connection, 0));
    connection->input = malloc(INPUT_BYTES);
}

static void read_response(struct connection *connection, struct reader *response) {
    uint32_t correlation = (uint32_t)get_int32(response);
    if (correlation != connection->answered % connection->slots) fail("responses out of order");
    skip_tags(response);
    uint64_t topics = get_varint(response) - 1;
    skip_string(response, true);
    uint64_t partitions = get_varint(response) - 1;
    get_int32(response);
    int error = get_int16(response);
    if (topics != 1 || partitions != 1 || response->bad) fail("a malformed produce response");
    answered(connection, error, batchCount);
}

bool produce_receive(struct connection *connection) {
    return receive_responses(connection, read_response);
}
