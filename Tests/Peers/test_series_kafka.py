"""One log, two protocols: what HTTP writes, Kafka's clients read; what they produce, queries find."""

import itertools
import json
import time

import confluent_kafka
import confluent_kafka.admin
import pytest

from influx import scripts
from influx.fixtures import address, database, original, ours_only  # noqa: F401 (fixtures)

pytestmark = ours_only
_names = itertools.count()


def topic_of(name):
    return "metrics." + name


def consume(server, topic, count, seconds=20):
    """The first records of partition 0."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": server.bootstrap, "group.id": f"group-{next(_names)}",
                                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    found, deadline = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is not None and not message.error():
            found.append(message)
    consumer.close()
    return found


def produce(server, topic, *values, headers=None):
    """The offset of the last."""
    delivered = []
    producer = confluent_kafka.Producer({"bootstrap.servers": server.bootstrap, "enable.idempotence": True})
    for value in values:
        producer.produce(topic, value, headers=headers, on_delivery=lambda error, message: delivered.append(
            (error, message.offset())))
    assert producer.flush(20) == 0
    assert not any(error for error, _ in delivered), delivered
    return max(offset for _, offset in delivered)


def wait_for(address, topic, offset):  # noqa: F811
    answer = scripts.ask(address, "GET", "/views/wait", {"topic": topic, "partition": 0, "offset": offset})
    assert answer.status in (200, 204), answer


def rows(address, name, query):  # noqa: F811
    answer = scripts.ask(address, "GET", "/query", {"db": name, "q": query, "epoch": "ns"})
    result = json.loads(answer.body)["results"][0]
    assert "error" not in result, result
    return result["series"][0]["values"] if "series" in result else []


def test_a_consumer_sees_what_http_wrote(server, address, database):  # noqa: F811
    lines = b"cpu,host=a\\ b value=1.50,n=7i,text=\"x, y\" 1500000000\ncpu,host=b value=2 1500000001\n"
    answer = scripts.ask(address, "POST", "/write", {"db": database, "precision": "s"}, lines)
    assert answer.status == 204
    (message,) = consume(server, topic_of(database), 1)
    assert message.value().rstrip(b"\n") == lines.rstrip(b"\n"), "the bytes are those that came"
    assert dict(message.headers() or [])["precision"] == b"s"


def test_a_consumer_does_not_see_bad_lines(server, address, database):  # noqa: F811
    scripts.ask(address, "POST", "/write", {"db": database}, b"m v=1 1\nm v=x 2\nnonsense\nm v=3 3\n")
    (message,) = consume(server, topic_of(database), 1)
    assert message.value().rstrip(b"\n") == b"m v=1 1\nm v=3 3"


def test_a_consumer_skips_deletes(server, address, database):  # noqa: F811
    """They are control batches in the log, which clients step over."""
    scripts.ask(address, "POST", "/write", {"db": database}, b"m v=1 1")
    scripts.statement(address, f'CREATE RETENTION POLICY week ON "{database}" DURATION 1w REPLICATION 1')
    scripts.ask(address, "POST", "/query", {"db": database, "q": "DELETE FROM m WHERE time = 1"})
    scripts.ask(address, "POST", "/write", {"db": database}, b"m v=2 2")
    first, second = consume(server, topic_of(database), 2)
    assert (first.value().strip(), second.value().strip()) == (b"m v=1 1", b"m v=2 2")
    assert second.offset() > first.offset() + 1


def test_a_query_finds_what_a_producer_sent(server, address, database):  # noqa: F811
    offset = produce(server, topic_of(database), b"cpu,host=a v=1 1\ncpu,host=b v=2 2", b"cpu,host=a v=3 3\n")
    wait_for(address, topic_of(database), offset)
    assert rows(address, database, "SELECT v FROM cpu") == [[1, 1], [2, 2], [3, 3]]


def test_a_producer_may_set_precision_and_policy(server, address, database):  # noqa: F811
    scripts.statement(address, f'CREATE RETENTION POLICY other ON "{database}" DURATION 0s REPLICATION 1')
    offset = produce(server, topic_of(database), b"m v=1 5", headers=[("precision", b"s"), ("rp", b"other")])
    wait_for(address, topic_of(database), offset)
    assert rows(address, database, "SELECT v FROM other.m") == [[5_000_000_000, 1]]
    assert rows(address, database, "SELECT v FROM m") == []


def test_compressed_batches(server, address, database):  # noqa: F811
    producer = confluent_kafka.Producer({"bootstrap.servers": server.bootstrap, "compression.type": "zstd",
                                         "linger.ms": 50})
    for number in range(2000):
        producer.produce(topic_of(database), b"m,t=%d v=%di %d" % (number % 7, number, number))
    assert producer.flush(20) == 0
    wait_for(address, topic_of(database), 1999)
    assert rows(address, database, "SELECT count(v), sum(v) FROM m") == [[0, 2000, 1999000]]


def test_a_producers_bad_lines_are_told(server, address, database):  # noqa: F811
    """Where nobody waits for an answer, the reasons go to a topic of their own."""
    offset = produce(server, topic_of(database), b"m v=1 1\nm v=x 2\nm v=3 3", b"\xff\xfe", b"m v=4i 4")
    wait_for(address, topic_of(database), offset)
    assert rows(address, database, "SELECT v FROM m") == [[1, 1], [3, 3]]
    refused = consume(server, "rejected." + topic_of(database), 3)
    assert len(refused) == 3
    for message in refused:
        headers = {name: value.decode() for name, value in message.headers()}
        assert headers["reason"] and headers["topic"] == topic_of(database), headers
        assert int(headers["offset"]) <= offset
    assert b"m v=x 2" in refused[0].value()


def test_any_topic_can_feed_a_view(server, address):  # noqa: F811
    name = f"plain-{next(_names)}"
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": server.bootstrap})
    made = admin.create_topics([confluent_kafka.admin.NewTopic(name, 1, config={"millrace.view": "series"})])
    made[name].result(20)
    wait_for(address, name, produce(server, name, b"m v=1 1"))
    assert rows(address, name, "SELECT v FROM m") == [[1, 1]]
    scripts.statement(address, f'DROP DATABASE "{name}"')


def test_a_query_sees_its_own_write_at_once(address, database):  # noqa: F811
    for number in range(100):
        assert scripts.ask(address, "POST", "/write", {"db": database}, b"m v=%d %d" % (number, number)).status == 204
        assert rows(address, database, "SELECT count(v) FROM m") == [[0, number + 1]]
