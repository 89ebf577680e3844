"""What real clients do all day, by assignment; groups are in test_groups. Java's client is not on PyPI."""

import threading
import time

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from clients import Message, Options
from clients import confluent
from clients.catalog import ALL, NEW
from wire import batch

every_client = pytest.mark.parametrize("client", ALL.values(), ids=ALL)
every_new_client = pytest.mark.parametrize("client", NEW.values(), ids=NEW)
every_admin = pytest.mark.parametrize("client", [c for n, c in ALL.items() if n != "kcat"],
                                      ids=[n for n in ALL if n != "kcat"])


def values(server, topic, partition=0):
    with server.connect() as connection:
        return [record.value for record in connection.read_all(topic, partition)]


def rows(count, size=10):
    return [Message(b"%0*d" % (size, n)) for n in range(count)]


@every_client
def test_producing_creates_the_topic(server, topic, client):
    client.produce(server.bootstrap, topic, rows(3))
    assert values(server, topic) == [m.value for m in rows(3)]


@every_client
@pytest.mark.parametrize("acks", [0, 1, "all"])
def test_acknowledgements_of_every_kind(server, topic, client, acks):
    if acks == 0 and not client.HAS_ACKS_0:
        pytest.skip("this version loses its last requests by itself")
    with server.connect() as connection:
        connection.create_topic(topic)
    offsets = client.produce(server.bootstrap, topic, rows(200), Options(acks=acks))
    if offsets and acks != 0:
        assert offsets == list(range(200))
    deadline = time.monotonic() + 20
    while len(values(server, topic)) < 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert values(server, topic) == [m.value for m in rows(200)]


@every_client
def test_idempotent_producers_number_their_batches(server, topic, client):
    if not client.HAS_IDEMPOTENCE:
        pytest.skip("this version has no idempotent producer")
    client.produce(server.bootstrap, topic, rows(500), Options(idempotent=True, codec="lz4"))
    with server.connect() as connection:
        batches = batch.decode_all(connection.fetch(topic, 0).records)
    assert [r.value for b in batches for r in b.records] == [m.value for m in rows(500)]
    assert len({b.producer_id for b in batches}) == 1 and batches[0].producer_id >= 0
    assert [b.base_sequence for b in batches] == [b.base_offset for b in batches]


@every_admin
def test_topics_are_created_listed_described_and_deleted(server, topic, client):
    wanted = {f"{topic}-a": 1, f"{topic}-b": 7}
    client.create_topics(server.bootstrap, wanted)
    listed = client.list_topics(server.bootstrap)
    assert {name: listed[name] for name in wanted} == wanted
    with pytest.raises(Exception, match="(?i)already.?exists"):
        client.create_topics(server.bootstrap, wanted)
    client.delete_topics(server.bootstrap, wanted)
    assert not set(wanted) & set(client.list_topics(server.bootstrap))
    with pytest.raises(Exception, match="(?i)unknown.?topic"):
        client.delete_topics(server.bootstrap, wanted)


@every_client
def test_offsets_are_found_by_time(server, topic, client):
    stamped = [Message(b"%d" % n, timestamp=1_600_000_000_000 + 1000 * n) for n in range(100)]
    for start in range(0, 100, 10):
        confluent.produce(server.bootstrap, topic, stamped[start:start + 10])
    find = lambda timestamp: client.offset_for_time(server.bootstrap, topic, 0, timestamp)
    assert find(1_600_000_000_000 + 42_000) == 42
    assert find(1_600_000_000_000 + 42_001) == 43
    assert find(1) == 0
    assert find(1_600_000_000_000 + 99_001) == -1 or client is NEW["kcat"]
    assert tuple(client.watermarks(server.bootstrap, topic, 0)) == (0, 100)


@every_client
def test_consuming_starts_at_any_offset(server, topic, client):
    confluent.produce(server.bootstrap, topic, rows(1000), Options(codec="zstd"))
    for start in (0, 1, 499, 999):
        got = client.consume(server.bootstrap, {(topic, 0): start}, 1000 - start)
        assert [m.offset for m in got] == list(range(start, 1000))
        assert [m.value for m in got] == [m.value for m in rows(1000)][start:]


@every_new_client
def test_large_messages_pass_and_larger_ones_are_refused(server, topic, client):
    key = {"kcat": "message.max.bytes", "confluent-kafka": "message.max.bytes"}
    name = next(n for n, c in NEW.items() if c is client)
    options = Options(more={key.get(name, "max_request_size"): 4_000_000})
    large = Message(b"x" * 1_000_000)
    client.produce(server.bootstrap, topic, [large], options)
    assert [m.value for m in client.consume(server.bootstrap, {(topic, 0): 0}, 1)] == [large.value]
    with pytest.raises(Exception, match="(?i)too.?large|larger than"):
        client.produce(server.bootstrap, topic, [Message(b"y" * 2_000_000)], options)
    assert values(server, topic) == [large.value]


def test_a_topic_may_allow_larger_messages(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic, max_message_bytes=10_000_000)
    huge = Message(b"z" * 8_000_000)
    confluent.produce(server.bootstrap, topic, [huge], Options(more={"message.max.bytes": 12_000_000}))
    got = confluent.consume(server.bootstrap, {(topic, 0): 0}, 1)
    assert got[0].value == huge.value


@every_new_client
def test_many_partitions(server, topic, client):
    count = 8 if client is NEW["kcat"] else 200
    with server.connect() as connection:
        connection.create_topic(topic, count)
    sent = [Message(b"%d" % n, b"%d" % (n % count), partition=n % count) for n in range(5 * count)]
    client.produce(server.bootstrap, topic, sent)
    got = client.consume(server.bootstrap, {(topic, partition): 0 for partition in range(count)}, len(sent))
    assert sorted((m.partition, m.offset, int(m.value)) for m in got) == sorted(
        (m.partition, n // count, n) for n, m in enumerate(sent))


@every_client
def test_the_advertised_address_is_the_one_connected_to(server, client):
    assert client.brokers(f"127.0.0.1:{server.kafka_port}") == [("127.0.0.1", server.kafka_port)]
    # "localhost" is a name of the same address; the server sees the address alone.
    assert client.brokers(f"localhost:{server.kafka_port}") == [("127.0.0.1", server.kafka_port)]


def test_a_client_on_ipv6_is_told_to_stay_there(new_server):
    server = new_server(host="::1")
    confluent.produce(f"[::1]:{server.kafka_port}", "six", rows(3))
    assert confluent.brokers(f"[::1]:{server.kafka_port}") == [("::1", server.kafka_port)]
    assert len(confluent.consume(f"[::1]:{server.kafka_port}", {("six", 0): 0}, 3)) == 3


def test_a_waiting_consumer_gets_a_record_at_once(server, topic):
    """The long poll of a consumer that is at the end: woken by the record, not by its timeout."""
    with server.connect() as connection:
        connection.create_topic(topic)
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "unused", "enable.auto.commit": False,
                         "fetch.wait.max.ms": 10_000})
    consumer.assign([TopicPartition(topic, 0, 0)])
    arrived = []

    def poll():
        while len(arrived) < 20:
            message = consumer.poll(1)
            if message is not None and not message.error():
                arrived.append(time.monotonic())

    thread = threading.Thread(target=poll)
    thread.start()
    latencies = []
    with server.connect() as connection:
        for n in range(20):
            sent = time.monotonic()
            connection.produce(topic, [b"x"])
            while len(arrived) <= n:
                assert time.monotonic() - sent < 30
                time.sleep(0.0005)
            latencies.append(arrived[n] - sent)
    thread.join()
    consumer.close()
    assert sorted(latencies)[10] < 0.25, latencies


def test_an_offset_out_of_range_is_an_error_to_the_consumer(server, topic):
    confluent.produce(server.bootstrap, topic, rows(3))
    with pytest.raises(KafkaException, match="(?i)out of range"):
        confluent.consume(server.bootstrap, {(topic, 0): 1000}, 1)


def test_null_header_values_survive(server, topic):
    sent = Message(b"v", b"k", (("empty", b""), ("null", None), ("bytes", b"\x00\xff")))
    confluent.produce(server.bootstrap, topic, [sent])
    assert confluent.consume(server.bootstrap, {(topic, 0): 0}, 1)[0].headers == sent.headers


@every_client
def test_records_survive_a_restart_and_clients_go_on(new_server, client, topic):
    server = new_server()
    client.produce(server.bootstrap, topic, rows(100), Options(codec="gzip"))
    server.restart(kill=False)
    client.produce(server.bootstrap, topic, rows(100))
    server.restart(kill=True)
    got = client.consume(server.bootstrap, {(topic, 0): 0}, 200)
    assert [m.value for m in got] == [m.value for m in rows(100)] * 2
    assert [m.offset for m in got] == list(range(200))
