"""Produce and Fetch, byte for byte in every version: order, limits, long polls, and what is stored of a batch."""

import time

import pytest

from wire import batch
from wire.connection import Closed, encode_request
from wire.definitions import API_VERSIONS, FETCH, PRODUCE, Error


def each_version(api):
    return pytest.mark.parametrize("version", api.versions)


@each_version(PRODUCE)
def test_every_produce_version(connection, topic, version):
    connection.create_topic(topic)
    target = connection.topic_id(topic) if version >= 13 else topic
    for round in range(3):
        made = connection.produce(target, [b"a", b"b"], version=version)
        assert (made.error_code, made.index, made.base_offset) == (0, 0, 2 * round)
        assert made.log_append_time_ms == -1
        if version >= 5:
            assert made.log_start_offset == 0
        if version >= 8:
            assert (made.record_errors, made.error_message) == ([], None)
    assert [r.value for r in connection.read_all(topic)] == [b"a", b"b"] * 3


@pytest.mark.parametrize("version", [0, 1, 2])
def test_produce_versions_that_are_advertised_for_librdkafka_are_refused(server, connection, topic, version):
    connection.create_topic(topic)
    frame = encode_request(PRODUCE, 3, 1, {"acks": 1, "topic_data": [{"name": topic, "partition_data": [
        {"records": batch.encode([b"x"])}]}]})
    connection.send_frame(frame[:2] + version.to_bytes(2, "big") + frame[4:15] + frame[17:])
    try:
        answer = connection.read_frame()
        assert b"\x00\x23" in answer
    except Closed:
        pass
    with server.connect() as other:
        assert other.read_all(topic) == []


@each_version(FETCH)
def test_every_fetch_version(connection, topic, version):
    connection.create_topic(topic)
    connection.produce(topic, [b"a", b"b"])
    connection.produce(topic, [b"c"])
    target = connection.topic_id(topic) if version >= 13 else topic
    part = connection.fetch(target, 0, version=version)
    assert (part.error_code, part.partition_index, part.high_watermark) == (0, 0, 3)
    assert part.last_stable_offset == 3
    if version >= 5:
        assert part.log_start_offset == 0
    if version >= 11:
        assert part.preferred_read_replica == -1
    assert not part.aborted_transactions
    batches = batch.decode_all(part.records)
    assert [[r.value for r in b.records] for b in batches] == [[b"a", b"b"], [b"c"]]
    at_end = connection.fetch(target, 3, version=version)
    assert (at_end.error_code, at_end.high_watermark, at_end.records or b"") == (0, 3, b"")
    for offset in (-1, 4, 1 << 60):
        beyond = connection.fetch(target, offset, version=version)
        assert beyond.error_code == Error.OFFSET_OUT_OF_RANGE
        assert not beyond.records


@each_version(FETCH)
def test_a_fetch_inside_a_batch_returns_the_whole_batch(connection, topic, version):
    connection.create_topic(topic)
    connection.produce(topic, [b"first"])
    connection.produce(topic, [b"%d" % n for n in range(10)])
    target = connection.topic_id(topic) if version >= 13 else topic
    for offset in (1, 5, 10):
        batches = batch.decode_all(connection.fetch(target, offset, version=version).records)
        assert [(b.base_offset, b.last_offset) for b in batches] == [(1, 10)]


def test_the_first_batch_comes_whole_however_small_the_limits(connection, topic):
    connection.create_topic(topic)
    for size in (10_000, 10, 10):
        connection.produce(topic, [b"x" * size])
    part = connection.fetch(topic, 0, maximum=1)
    assert [b.base_offset for b in batch.decode_all(part.records)] == [0]
    limited = {"max_wait_ms": 0, "min_bytes": 1, "max_bytes": 1}
    topics = [{"topic": topic, "partitions": [{"fetch_offset": 0}]}]
    body = connection.call(FETCH, 12, topics=topics, **limited)
    assert [b.base_offset for b in batch.decode_all(body.responses[0].partitions[0].records)] == [0]
    # Only whole batches that fit follow the first.
    part = connection.fetch(topic, 1, maximum=100)
    assert [b.base_offset for b in batch.decode_all(part.records)] == [1]


def test_the_limit_of_a_response_is_shared_by_its_partitions(connection, topic):
    connection.create_topic(topic, 4)
    for partition in range(4):
        connection.produce(topic, [b"x" * 50_000], partition)
    parts = [{"partition": n, "fetch_offset": 0} for n in range(4)]
    body = connection.call(FETCH, 12, max_wait_ms=0, min_bytes=1, max_bytes=120_000,
                           topics=[{"topic": topic, "partitions": parts}])
    sizes = [len(p.records or b"") for p in body.responses[0].partitions]
    assert [p.partition_index for p in body.responses[0].partitions] == [0, 1, 2, 3]
    assert sizes[0] > 50_000 and sum(size > 0 for size in sizes) == 2


def test_a_batch_is_stored_as_sent_but_for_offset_and_epoch(connection, topic):
    connection.create_topic(topic)
    for codec in batch.CODECS:
        offset = connection.list_offset(topic, -1).offset
        sent = batch.encode([b"same bytes" * 50, b"again"], codec)
        assert connection.produce(topic, sent).base_offset == offset
        stored = connection.fetch(topic, offset).records
        assert stored[8:12] + stored[16:] == sent[8:12] + sent[16:]
        assert batch.decode_all(stored)[0].leader_epoch >= 0


def test_log_append_time_is_stamped_by_the_broker(connection, topic):
    connection.create_topic(topic, message_timestamp_type="LogAppendTime")
    before = int(time.time() * 1000)
    made = connection.produce(topic, batch.encode([batch.Record(b"old", timestamp=1000)]))
    assert made.error_code == 0 and before - 1000 <= made.log_append_time_ms <= time.time() * 1000 + 1000
    stored = batch.decode_all(connection.fetch(topic, 0).records)[0]
    assert stored.attributes & 8 and stored.max_timestamp == made.log_append_time_ms


def test_acks_0_gets_no_answer(connection, topic):
    connection.create_topic(topic)
    for n in range(10):
        connection.send_produce(topic, [b"%d" % n], acks=0)
    # The next answer on the connection is that of the next request.
    connection.metadata(topic)
    deadline = time.monotonic() + 10
    while connection.list_offset(topic, -1).offset < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [r.value for r in connection.read_all(topic)] == [b"%d" % n for n in range(10)]


@pytest.mark.parametrize("acks", [2, -2, 32767])
def test_acks_must_be_0_1_or_all(connection, topic, acks):
    connection.create_topic(topic)
    assert connection.produce(topic, [b"x"], acks=acks).error_code == Error.INVALID_REQUIRED_ACKS
    assert connection.list_offset(topic, -1).offset == 0


def test_answers_come_in_the_order_of_requests(connection, topic):
    """A long poll that waits holds back what was asked after it, and nothing overtakes it."""
    connection.create_topic(topic)
    fetch = connection.send_fetch(topic, 0, max_wait=700)
    second = connection.send(API_VERSIONS, 0)
    third = connection.send_produce(topic, [b"x"])
    began = time.monotonic()
    connection.receive(FETCH, 12, fetch)
    assert time.monotonic() - began < 5
    connection.receive(API_VERSIONS, 0, second)
    assert connection.receive(PRODUCE, 9, third).responses[0].partition_responses[0].error_code == 0


def test_pipelined_produces_keep_their_order(connection, topic):
    connection.create_topic(topic, 2)
    sent = [connection.send_produce(topic, [b"%d" % n], n % 2, acks=(1, -1)[n % 3 == 0 or n >= 298])
            for n in range(300)]
    for n, correlation_id in enumerate(sent):
        part = connection.receive(PRODUCE, 9, correlation_id).responses[0].partition_responses[0]
        assert (part.error_code, part.index, part.base_offset) == (0, n % 2, n // 2)
    for partition in (0, 1):
        assert [r.value for r in connection.read_all(topic, partition)] == [
            b"%d" % n for n in range(partition, 300, 2)]


def test_one_request_for_many_partitions(connection, topic):
    connection.create_topic(topic, 50)
    parts = [{"index": n, "records": batch.encode([b"p%d" % n])} for n in range(50)]
    parts.append({"index": 50, "records": batch.encode([b"nowhere"])})
    body = connection.call(PRODUCE, 9, topic_data=[{"name": topic, "partition_data": parts}])
    codes = [(p.index, p.error_code) for p in body.responses[0].partition_responses]
    assert codes == [(n, 0) for n in range(50)] + [(50, Error.UNKNOWN_TOPIC_OR_PARTITION)]


# Long polls

def test_a_long_poll_ends_when_a_record_arrives(server, connection, topic):
    connection.create_topic(topic)
    latencies = []
    for n in range(10):
        asked = connection.send_fetch(topic, n, max_wait=20_000)
        time.sleep(0.05)
        with server.connect() as other:
            produced = time.monotonic()
            other.produce(topic, [b"x"])
            part = connection.receive(FETCH, 12, asked).responses[0].partitions[0]
        latencies.append(time.monotonic() - produced)
        assert [b.base_offset for b in batch.decode_all(part.records)] == [n]
    assert sorted(latencies)[5] < 0.2, latencies


def test_a_long_poll_ends_at_its_time(connection, topic):
    connection.create_topic(topic)
    began = time.monotonic()
    part = connection.fetch(topic, 0, max_wait=600)
    assert (part.error_code, part.records or b"") == (0, b"")
    assert 0.55 < time.monotonic() - began < 5


def test_a_long_poll_waits_for_min_bytes(server, connection, topic):
    connection.create_topic(topic, 2)
    parts = [{"partition": n, "fetch_offset": 0} for n in (0, 1)]
    asked = connection.send(FETCH, 12, max_wait_ms=20_000, min_bytes=3000,
                            topics=[{"topic": topic, "partitions": parts}])
    with server.connect() as other:
        other.produce(topic, [b"x" * 1000], 0)
        connection.socket.settimeout(0.4)
        with pytest.raises(TimeoutError):
            connection.read_frame()
        connection.socket.settimeout(20)
        other.produce(topic, [b"x" * 2500], 1)
    body = connection.receive(FETCH, 12, asked)
    assert sum(len(p.records) for p in body.responses[0].partitions) >= 3500


def test_a_long_poll_with_an_error_does_not_wait(connection, topic):
    connection.create_topic(topic)
    began = time.monotonic()
    assert connection.fetch(topic, 99, max_wait=20_000).error_code == Error.OFFSET_OUT_OF_RANGE
    assert connection.fetch(topic, 0, partition=7, max_wait=20_000).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    assert time.monotonic() - began < 5


def test_a_long_poll_ends_when_its_topic_is_deleted(server, connection, topic):
    connection.create_topic(topic)
    asked = connection.send_fetch(topic, 0, max_wait=15_000)
    began = time.monotonic()
    with server.connect() as other:
        assert other.delete_topic(topic) == 0
    part = connection.receive(FETCH, 12, asked).responses[0].partitions[0]
    assert part.error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    assert time.monotonic() - began < 5


def test_leader_epochs_are_compared(connection, topic):
    connection.create_topic(topic)
    connection.produce(topic, [b"x"])
    epoch = connection.metadata(topic).topics[0].partitions[0].leader_epoch
    assert connection.fetch(topic, 0, current_leader_epoch=epoch).error_code == 0
    newer = connection.fetch(topic, 0, current_leader_epoch=epoch + 1)
    assert newer.error_code == Error.UNKNOWN_LEADER_EPOCH
