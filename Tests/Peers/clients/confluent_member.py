"""One member of a consumer group: confluent-kafka. A process each; see `members`."""

from confluent_kafka import Consumer, KafkaException

STRATEGIES = ("range", "roundrobin", "cooperative-sticky")
_consumer = None


def join(bootstrap, group, topics, strategy="range", instance=None, session=6000):
    global _consumer
    static = {"group.instance.id": instance} if instance else {}
    _consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": group, "partition.assignment.strategy": strategy,
        "session.timeout.ms": session, "heartbeat.interval.ms": 100, "enable.auto.commit": False,
        "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50, "reconnect.backoff.max.ms": 200, **static})
    _consumer.subscribe(topics)


def poll(seconds):
    """(records as (topic, partition, offset, value), assignment as (topic, partition)); what came is committed."""
    rows = []
    for message in _consumer.consume(500, timeout=seconds):
        if not message.error():
            rows.append((message.topic(), message.partition(), message.offset(), message.value()))
    if rows:
        try:
            _consumer.commit(asynchronous=False)
        except KafkaException:
            pass  # Another member has the partition by now, or the broker is away: it will come again.
    return rows, sorted((one.topic, one.partition) for one in _consumer.assignment())


def leave():
    _consumer.close()
