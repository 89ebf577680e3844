// The peer's answers: Produce 3–12, Fetch 4–12, and as much of ApiVersions and Metadata as librdkafka asks for.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "peer.h"

enum { PARTITIONS = 4096, PREALLOCATION = 256 << 20, PRODUCE_FLEXIBLE = 9, FETCH_FLEXIBLE = 12 };

struct partition {
    pthread_mutex_t lock;
    int descriptor;                   // 0: not yet open
    off_t end, allocated;
    int64_t nextOffset;
    atomic_bool dirty;
};

static struct partition partitions[PARTITIONS];

static struct partition *open_partition(int32_t index) {
    if (index < 0 || index >= PARTITIONS) return NULL;
    struct partition *partition = &partitions[index];
    pthread_mutex_lock(&partition->lock);
    if (partition->descriptor == 0) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d.log", settings.directory, index);
        partition->descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
    pthread_mutex_unlock(&partition->lock);
    return partition->descriptor > 0 ? partition : NULL;
}

// Takes the next `count` bytes and `records` offsets of the file; grows the preallocation in large steps.
static off_t reserve(struct partition *partition, size_t count, uint32_t records, int64_t *baseOffset) {
    pthread_mutex_lock(&partition->lock);
    off_t position = partition->end;
    *baseOffset = partition->nextOffset;
    partition->end += (off_t)count;
    partition->nextOffset += records;
    while (partition->end > partition->allocated) {
        if (fallocate(partition->descriptor, FALLOC_FL_KEEP_SIZE, partition->allocated, PREALLOCATION) != 0) break;
        partition->allocated += PREALLOCATION;
    }
    pthread_mutex_unlock(&partition->lock);
    return position;
}

static bool append(int32_t index, uint8_t *batch, size_t count, int64_t *baseOffset) {
    struct partition *partition = open_partition(index);
    if (!partition || !batch_checksum_matches(batch, count)) return false;
    off_t position = reserve(partition, count, batch_record_count(batch), baseOffset);
    put_int64(batch, (uint64_t)*baseOffset);
    while (count > 0) {
        ssize_t written = pwrite(partition->descriptor, batch, count, position);
        if (written <= 0) return false;
        batch += written, position += written, count -= (size_t)written;
    }
    atomic_store_explicit(&partition->dirty, true, memory_order_release);
    return true;
}

static size_t get_count(struct reader *request, bool compact) {
    return compact ? (size_t)get_varint(request) - 1 : (size_t)get_int32(request);
}

// Leaves the reader at the topic's name; true if the request has exactly one topic.
static bool produce(struct reader *request, int version, uint8_t *start, uint8_t **end) {
    bool compact = version >= PRODUCE_FLEXIBLE;
    skip_string(request, compact);
    int acks = get_int16(request);
    get_int32(request);
    if (get_count(request, compact) != 1) return false;
    const uint8_t *name = request->at;
    skip_string(request, compact);
    size_t nameBytes = (size_t)(request->at - name);
    if (get_count(request, compact) != 1) return false;
    int32_t index = get_int32(request);
    size_t count = get_count(request, compact);
    uint8_t *batch = (uint8_t *)take(request, count);    // the connection's own input: may be changed
    int64_t baseOffset = 0;
    if (request->bad || !append(index, batch, count, &baseOffset)) return false;
    if (acks == 0) {
        *end = start;
        return true;
    }
    uint8_t *at = *end;
    at = compact ? put_varint(at, 2) : put_int32(at, 1);
    at = put_bytes(at, name, nameBytes);
    at = compact ? put_varint(at, 2) : put_int32(at, 1);
    at = put_int32(at, (uint32_t)index);
    at = put_int16(at, 0);
    at = put_int64(at, (uint64_t)baseOffset);
    at = put_int64(at, (uint64_t)-1);
    if (version >= 5) at = put_int64(at, 0);                     // log start offset
    if (version >= 8) {                                          // no record errors, no message
        at = compact ? put_varint(at, 1) : put_int32(at, 0);
        at = compact ? put_varint(at, 0) : put_int16(at, -1);
    }
    if (compact) at = put_int16(at, 0);                          // the partition's and the topic's tags
    at = put_int32(at, 0);                                       // throttle time
    if (compact) at = put_int8(at, 0);
    *end = at;
    return true;
}

static struct slice slice(struct partition *partition, int64_t offset, size_t limit) {
    pthread_mutex_lock(&partition->lock);
    off_t position = offset / settings.batchRecords * settings.batchBytes, end = partition->end;
    pthread_mutex_unlock(&partition->lock);
    size_t available = position < end ? (size_t)(end - position) : 0;
    if (limit < (size_t)settings.batchBytes) limit = (size_t)settings.batchBytes;
    size_t count = available < limit ? available : limit;
    return (struct slice){partition->descriptor, position, count - count % (size_t)settings.batchBytes};
}

static bool fetch(struct reader *request, int version, struct response *response, uint8_t *start, uint8_t **end) {
    bool compact = version >= FETCH_FLEXIBLE;
    take(request, 4 + 4 + 4 + 4 + 1);          // replica, max wait, min and max bytes, isolation
    if (version >= 7) take(request, 8);        // session
    if (get_count(request, compact) != 1) return false;
    const uint8_t *name = request->at;
    skip_string(request, compact);
    size_t nameBytes = (size_t)(request->at - name);
    if (get_count(request, compact) != 1) return false;
    int32_t index = get_int32(request);
    if (version >= 9) get_int32(request);      // leader epoch
    int64_t offset = get_int64(request);
    if (version >= 12) get_int32(request);     // last fetched epoch
    if (version >= 5) get_int64(request);      // log start offset
    size_t limit = (size_t)get_int32(request);
    struct partition *partition = request->bad ? NULL : open_partition(index);
    if (!partition) return false;
    response->file = slice(partition, offset, limit);
    if (response->file.count == 0) {    // nothing there: never answered, or a real client would ask without pause
        *end = start;
        return true;
    }
    uint8_t *at = *end;
    at = put_int32(at, 0);                                        // throttle time
    if (version >= 7) at = put_int16(at, 0), at = put_int32(at, 0);
    at = compact ? put_varint(at, 2) : put_int32(at, 1);
    at = put_bytes(at, name, nameBytes);
    at = compact ? put_varint(at, 2) : put_int32(at, 1);
    at = put_int32(at, (uint32_t)index);
    at = put_int16(at, 0);
    at = put_int64(at, (uint64_t)partition->nextOffset);
    at = put_int64(at, (uint64_t)partition->nextOffset);
    if (version >= 5) at = put_int64(at, 0);                      // log start offset
    at = compact ? put_varint(at, 0) : put_int32(at, (uint32_t)-1);    // no aborted transactions
    if (version >= 11) at = put_int32(at, (uint32_t)-1);          // no preferred replica
    at = compact ? put_varint(at, response->file.count + 1) : put_int32(at, (uint32_t)response->file.count);
    response->trailer = compact ? 3 : 0;
    *end = at;
    return true;
}

static void api_versions(int version, uint8_t **end) {
    static const int served[][3] = {
        {API_PRODUCE, 0, 8}, {API_FETCH, 4, 11}, {API_METADATA, 0, 4}, {API_VERSIONS, 0, 3}};
    bool compact = version >= 3;
    uint8_t *at = put_int16(*end, 0);
    at = compact ? put_varint(at, 5) : put_int32(at, 4);
    for (int index = 0; index < 4; index++) {
        for (int field = 0; field < 3; field++) at = put_int16(at, served[index][field]);
        if (compact) at = put_int8(at, 0);
    }
    if (version >= 1) at = put_int32(at, 0);
    *end = compact ? put_int8(at, 0) : at;
}

// Metadata 4: this broker leads every partition of the topic that is asked for; eight partitions.
static void metadata(struct reader *request, uint8_t **end) {
    bool named = get_int32(request) > 0;
    const uint8_t *name = request->at;
    size_t nameBytes = named ? 2 + skip_string(request, false) : 0;
    uint8_t *at = put_int32(*end, 0);
    at = put_int32(at, 1);
    at = put_int32(at, 0);
    at = put_string(at, "127.0.0.1");
    at = put_int32(at, (uint32_t)settings.port);
    at = put_int16(at, -1);                    // no rack
    at = put_int16(at, -1);                    // no cluster id
    at = put_int32(at, 0);
    at = put_int32(at, named ? 1 : 0);
    if (named) {
        at = put_int16(at, 0);
        at = put_bytes(at, name, nameBytes);
        at = put_int8(at, 0);
        at = put_int32(at, 8);
        for (uint32_t index = 0; index < 8; index++) {
            at = put_int16(at, 0);
            at = put_int32(at, index);
            at = put_int32(at, 0);
            for (int list = 0; list < 2; list++) at = put_int32(put_int32(at, 1), 0);
        }
    }
    *end = at;
}

bool handle(struct reader *request, struct response *response) {
    int key = get_int16(request), version = get_int16(request);
    uint32_t correlation = (uint32_t)get_int32(request);
    skip_string(request, false);
    bool flexible = (key == API_PRODUCE && version >= PRODUCE_FLEXIBLE)
        || (key == API_FETCH && version >= FETCH_FLEXIBLE);
    uint8_t *start = response->bytes, *end = put_int32(start + 4, correlation);
    if (flexible) {
        skip_tags(request);
        end = put_int8(end, 0);
    }
    if (key == API_PRODUCE && version >= 3 && version <= 12) {
        if (!produce(request, version, start, &end)) return false;
    } else if (key == API_FETCH && version >= 4 && version <= 12) {
        if (!fetch(request, version, response, start, &end)) return false;
    } else if (key == API_VERSIONS && version <= 3) {
        api_versions(version, &end);
    } else if (key == API_METADATA && version == 4) {
        metadata(request, &end);
    } else {
        return false;
    }
    response->count = (size_t)(end - start);
    size_t whole = response->count + response->file.count + response->trailer;
    if (response->count > 0) put_int32(start, (uint32_t)(whole - 4));
    return true;
}

void *sync_regularly(void *argument) {
    for (;;) {
        usleep((useconds_t)settings.syncMilliseconds * 1000);
        for (int index = 0; index < PARTITIONS; index++)
            if (atomic_exchange_explicit(&partitions[index].dirty, false, memory_order_acquire))
                fdatasync(partitions[index].descriptor);
    }
    return argument;
}
