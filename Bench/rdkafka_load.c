// The load of a real client: librdkafka produces, or consumes by assignment, and says how fast it went.
//
//   rdkafka_load produce|consume --port N --topic NAME --messages N [--value-bytes 100] [--partitions 1]
//        [--acks 1] [--linger-ms 5] [--batch-bytes 1000000] [--codec none] [--group NAME]
//
// Consuming reads each partition from offset 0 until `messages` have come: by assignment, or with --group as the only
// member of a group that has committed nothing; it commits what it has read every 500 ms and at its end. The clock
// starts with the first message, so that joining is not in it; the CPU of a joining server is. Prints a line of JSON.
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats.h"

enum { STALL_MILLISECONDS = 20000, VALUE_LIMIT = 1 << 20 };

static long long messages, delivered, failed;
static int port, partitions = 1, valueBytes = 100;
static const char *topicName, *acks = "1", *linger = "5", *batchBytes = "1000000", *codec = "none", *group;
static uint64_t began;

static void fail(const char *what) {
    fprintf(stderr, "rdkafka_load: %s\n", what);
    exit(1);
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *context) {
    (void)client, (void)context;
    if (message->err) failed++;
    else delivered++;
}

static void configure(rd_kafka_conf_t *configuration, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(configuration, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail(error);
}

static rd_kafka_t *open_client(rd_kafka_type_t type) {
    char servers[64], error[512];
    snprintf(servers, sizeof servers, "127.0.0.1:%d", port);
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    configure(configuration, "bootstrap.servers", servers);
    configure(configuration, "broker.address.family", "v4");
    if (type == RD_KAFKA_PRODUCER) {
        configure(configuration, "acks", acks);
        configure(configuration, "linger.ms", linger);
        configure(configuration, "batch.size", batchBytes);
        configure(configuration, "compression.type", codec);
        configure(configuration, "queue.buffering.max.messages", "1000000");
        rd_kafka_conf_set_dr_msg_cb(configuration, on_delivery);
    } else {
        configure(configuration, "group.id", group ? group : "bench");
        configure(configuration, "auto.offset.reset", "earliest");
        configure(configuration, "enable.auto.commit", group ? "true" : "false");
        configure(configuration, "auto.commit.interval.ms", "500");
        configure(configuration, "queued.min.messages", "1000000");
        configure(configuration, "fetch.wait.max.ms", "100");
    }
    rd_kafka_t *client = rd_kafka_new(type, configuration, error, sizeof error);
    if (!client) fail(error);
    return client;
}

static void produce(rd_kafka_t *client) {
    static char value[VALUE_LIMIT];
    for (int index = 0; index < valueBytes; index++) value[index] = (char)(index * 7919 >> 3);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, topicName, NULL);
    for (long long number = 0; number < messages;) {
        int32_t partition = (int32_t)(number / 1000 % partitions);
        if (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, value, (size_t)valueBytes, NULL, 0, NULL) == 0) {
            number++;
            if (number % 256 == 0) rd_kafka_poll(client, 0);
        } else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(client, 10);
        } else {
            fail(rd_kafka_err2str(rd_kafka_last_error()));
        }
    }
    if (rd_kafka_flush(client, STALL_MILLISECONDS) != 0) fail("not everything was delivered in time");
    rd_kafka_topic_destroy(topic);
}

static void begin(rd_kafka_t *client) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    if (group) {
        rd_kafka_topic_partition_list_add(list, topicName, RD_KAFKA_PARTITION_UA);
        rd_kafka_subscribe(client, list);
    } else {
        for (int index = 0; index < partitions; index++)
            rd_kafka_topic_partition_list_add(list, topicName, index)->offset = 0;
        rd_kafka_assign(client, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void consume(rd_kafka_t *client) {
    begin(client);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    static rd_kafka_message_t *batch[4096];
    while (delivered < messages) {
        size_t wanted = messages - delivered < 4096 ? (size_t)(messages - delivered) : 4096;
        ssize_t count = rd_kafka_consume_batch_queue(queue, STALL_MILLISECONDS, batch, wanted);
        if (count <= 0) fail("nothing came");
        if (delivered == 0) began = nanoseconds(CLOCK_MONOTONIC);
        for (ssize_t index = 0; index < count; index++) {
            if (batch[index]->err) failed++;
            else delivered++;
            rd_kafka_message_destroy(batch[index]);
        }
        if (failed > 1000) fail("too many errors");
    }
    rd_kafka_queue_destroy(queue);
    if (!group) return;
    rd_kafka_resp_err_t error = rd_kafka_commit(client, NULL, 0);
    // "No offset": everything is committed already.
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR__NO_OFFSET) fail(rd_kafka_err2str(error));
}

static bool parse(int count, char **arguments) {
    if (count < 2 || count % 2 != 0) return false;
    for (int index = 2; index < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--topic")) topicName = value;
        else if (!strcmp(name, "--messages")) messages = atoll(value);
        else if (!strcmp(name, "--value-bytes")) valueBytes = atoi(value);
        else if (!strcmp(name, "--partitions")) partitions = atoi(value);
        else if (!strcmp(name, "--acks")) acks = value;
        else if (!strcmp(name, "--linger-ms")) linger = value;
        else if (!strcmp(name, "--batch-bytes")) batchBytes = value;
        else if (!strcmp(name, "--codec")) codec = value;
        else if (!strcmp(name, "--group")) group = value;
        else return false;
    }
    return port > 0 && topicName && messages > 0 && partitions > 0 && valueBytes > 0 && valueBytes <= VALUE_LIMIT
        && (!strcmp(arguments[1], "produce") || !strcmp(arguments[1], "consume"));
}

int main(int count, char **arguments) {
    if (!parse(count, arguments)) {
        fprintf(stderr, "usage: see the head of rdkafka_load.c\n");
        return 2;
    }
    bool producing = !strcmp(arguments[1], "produce");
    rd_kafka_t *client = open_client(producing ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER);
    began = nanoseconds(CLOCK_MONOTONIC);
    uint64_t used = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    if (producing) produce(client);
    else consume(client);
    printf("{\"requests\":%lld,\"bytes\":%lld,\"seconds\":%.6f,\"generatorCPU\":%.6f,\"errors\":%lld}\n", delivered,
        delivered * valueBytes, (double)(nanoseconds(CLOCK_MONOTONIC) - began) / 1e9,
        (double)(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - used) / 1e9, failed);
    fflush(stdout);
    _exit(failed > 0);    // closing a consumer takes seconds and proves nothing here
}
