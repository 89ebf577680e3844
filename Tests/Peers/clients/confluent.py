"""confluent-kafka: librdkafka under Python."""

import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from . import TIMEOUT_SECONDS, Message, Options

SETS_TIMESTAMPS = HAS_ACKS_0 = HAS_IDEMPOTENCE = True


def produce(bootstrap, topic, messages, options=Options()):
    """Sends each message to its partition; the offsets that came back, in the order of `messages`."""
    producer = Producer({
        "bootstrap.servers": bootstrap, "compression.type": options.codec or "none", "acks": options.acks,
        "enable.idempotence": options.idempotent, "linger.ms": 5, "message.timeout.ms": 1000 * TIMEOUT_SECONDS,
        **options.more})
    offsets, errors = [None] * len(messages), []

    def delivered(index):
        def callback(error, message):
            if error is not None:
                errors.append(error)
            else:
                offsets[index] = message.offset()
        return callback

    for index, message in enumerate(messages):
        producer.produce(topic, message.value, message.key, message.partition, on_delivery=delivered(index),
                         timestamp=message.timestamp or 0, headers=list(message.headers))
    left = producer.flush(TIMEOUT_SECONDS)
    if errors or left:
        raise KafkaException(errors[0]) if errors else TimeoutError(f"{left} messages not delivered")
    return offsets


def _consumer(bootstrap, more=None):
    return Consumer({"bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False,
                     "auto.offset.reset": "error", **(more or {})})


def consume(bootstrap, starts, count, more=None):
    """`count` messages from the partitions in `starts`, {(topic, partition): first offset}."""
    consumer = _consumer(bootstrap, more)
    consumer.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in starts.items()])
    messages, deadline = [], time.monotonic() + TIMEOUT_SECONDS
    while len(messages) < count and time.monotonic() < deadline:
        for got in consumer.consume(count - len(messages), timeout=1):
            if got.error():
                raise KafkaException(got.error())
            messages.append(Message(got.value(), got.key(), tuple(got.headers() or ()), got.timestamp()[1],
                                    got.offset(), got.partition(), got.topic()))
    consumer.close()
    return messages


def offset_for_time(bootstrap, topic, partition, timestamp):
    consumer = _consumer(bootstrap)
    found = consumer.offsets_for_times([TopicPartition(topic, partition, timestamp)], timeout=TIMEOUT_SECONDS)
    consumer.close()
    return found[0].offset


def watermarks(bootstrap, topic, partition):
    consumer = _consumer(bootstrap)
    found = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=TIMEOUT_SECONDS)
    consumer.close()
    return found


def create_topics(bootstrap, partitions):
    """Creates topics from {name: partition count}."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([NewTopic(name, count, 1) for name, count in partitions.items()]).values():
        future.result(TIMEOUT_SECONDS)


def delete_topics(bootstrap, names):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.delete_topics(list(names)).values():
        future.result(TIMEOUT_SECONDS)


def list_topics(bootstrap):
    """{name: partition count}."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    return {name: len(topic.partitions) for name, topic in admin.list_topics(timeout=TIMEOUT_SECONDS).topics.items()}


def brokers(bootstrap):
    """The advertised addresses."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    return [(b.host, b.port) for b in admin.list_topics(timeout=TIMEOUT_SECONDS).brokers.values()]
