"""kafka-python, 2.0 to 3: pure Python."""

import time

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from . import TIMEOUT_SECONDS, Message, Options

VERSION = tuple(int(part) for part in kafka.__version__.split(".")[:2])
SETS_TIMESTAMPS = True
# 2.1 and 2.2 take a request without acknowledgement for sent before its bytes have left, and drop them when closed.
HAS_ACKS_0 = VERSION < (2, 1) or VERSION >= (3, 0)
HAS_IDEMPOTENCE = "enable_idempotence" in KafkaProducer.DEFAULT_CONFIG


def produce(bootstrap, topic, messages, options=Options()):
    settings = dict(options.more)
    if HAS_IDEMPOTENCE:
        settings["enable_idempotence"] = options.idempotent
    producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type=options.codec, linger_ms=5,
                             acks=options.acks, **settings)
    futures = [producer.send(topic, m.value, m.key, list(m.headers), m.partition, m.timestamp) for m in messages]
    producer.flush(TIMEOUT_SECONDS)
    offsets = [future.get(TIMEOUT_SECONDS).offset for future in futures]
    producer.close()
    return offsets


def _consumer(bootstrap, more=None):
    return KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False,
                         auto_offset_reset="none", **(more or {}))


def consume(bootstrap, starts, count, more=None):
    consumer = _consumer(bootstrap, more)
    consumer.assign([TopicPartition(*name) for name in starts])
    for name, offset in starts.items():
        consumer.seek(TopicPartition(*name), offset)
    messages, deadline = [], time.monotonic() + TIMEOUT_SECONDS
    while len(messages) < count and time.monotonic() < deadline:
        for records in consumer.poll(1000).values():
            messages += [Message(r.value, r.key, tuple(map(tuple, r.headers)), r.timestamp, r.offset, r.partition,
                                 r.topic) for r in records]
    consumer.close()
    return messages


def offset_for_time(bootstrap, topic, partition, timestamp):
    consumer = _consumer(bootstrap)
    found = consumer.offsets_for_times({TopicPartition(topic, partition): timestamp})[TopicPartition(topic, partition)]
    consumer.close()
    return -1 if found is None else found.offset


def watermarks(bootstrap, topic, partition):
    consumer, name = _consumer(bootstrap), TopicPartition(topic, partition)
    found = consumer.beginning_offsets([name])[name], consumer.end_offsets([name])[name]
    consumer.close()
    return found


def create_topics(bootstrap, partitions):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()])
    admin.close()


def delete_topics(bootstrap, names):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_topics(list(names))
    admin.close()


def list_topics(bootstrap):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    found = admin.describe_topics()
    admin.close()
    return {topic.get("topic") or topic["name"]: len(topic["partitions"]) for topic in found}


def brokers(bootstrap):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    found = admin.describe_cluster()["brokers"]
    admin.close()
    return [(broker["host"], broker["port"]) for broker in found]
