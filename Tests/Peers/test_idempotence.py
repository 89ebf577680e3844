"""Idempotent producers, as KIP-98 describes them: a window of five batches, epochs, and memory across restarts."""

import pytest

from wire import batch
from wire.definitions import Error


def send(connection, topic, producer, sequence, *values, partition=0):
    data = batch.encode(values or [b"%d" % sequence], producer=producer, sequence=sequence)
    return connection.produce(topic, data, partition)


def outcome(part):
    return part.error_code, part.base_offset


@pytest.fixture
def producer(connection, topic):
    connection.create_topic(topic, 2)
    return connection.init_producer()


def test_a_retry_is_answered_with_its_first_offset(connection, topic, producer):
    for sequence in range(7):
        assert outcome(send(connection, topic, producer, sequence)) == (0, sequence)
    for sequence in (2, 6, 4, 3, 5):
        assert outcome(send(connection, topic, producer, sequence)) == (0, sequence)
    assert len(connection.read_all(topic)) == 7


def test_a_retry_older_than_the_window_is_an_error_and_not_stored(connection, topic, producer):
    for sequence in range(20):
        send(connection, topic, producer, sequence)
    code, _ = outcome(send(connection, topic, producer, 3))
    assert code in (Error.DUPLICATE_SEQUENCE, Error.OUT_OF_ORDER_SEQUENCE)
    assert len(connection.read_all(topic)) == 20


@pytest.mark.parametrize("sequence", [2, 100, 2_147_483_647])
def test_a_gap_is_refused(connection, topic, producer, sequence):
    send(connection, topic, producer, 0)
    assert send(connection, topic, producer, sequence).error_code == Error.OUT_OF_ORDER_SEQUENCE
    assert outcome(send(connection, topic, producer, 1)) == (0, 1)


def test_sequences_are_per_partition(connection, topic, producer):
    assert outcome(send(connection, topic, producer, 0)) == (0, 0)
    assert outcome(send(connection, topic, producer, 0, partition=1)) == (0, 0)
    assert outcome(send(connection, topic, producer, 1, partition=1)) == (0, 1)


def test_an_older_epoch_is_fenced(connection, topic, producer):
    identity, epoch = producer
    send(connection, topic, producer, 0)
    assert outcome(send(connection, topic, (identity, epoch + 1), 0)) == (0, 1)
    assert send(connection, topic, producer, 1).error_code == Error.INVALID_PRODUCER_EPOCH
    assert send(connection, topic, (identity, epoch + 2), 5).error_code == Error.OUT_OF_ORDER_SEQUENCE


def test_sequences_wrap_around(connection, topic, producer):
    """2147483647 is followed by 0. A producer that the partition does not know may begin anywhere."""
    last = 2_147_483_647
    assert outcome(send(connection, topic, producer, last - 1, b"a", b"b")) == (0, 0)
    assert outcome(send(connection, topic, producer, 0, b"c")) == (0, 2)
    assert outcome(send(connection, topic, producer, last - 1, b"a", b"b")) == (0, 0)


def test_a_batch_may_wrap_around_inside(connection, topic, producer):
    last = 2_147_483_647
    assert outcome(send(connection, topic, producer, last, b"a", b"b", b"c")) == (0, 0)
    assert outcome(send(connection, topic, producer, 2, b"d")) == (0, 3)


def test_a_producer_without_sequence_is_refused(connection, topic, producer):
    part = connection.produce(topic, batch.encode([b"x"], producer=producer, sequence=-1))
    assert part.error_code != 0
    assert connection.read_all(topic) == []


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_producers_are_remembered_across_restarts(new_server, kill):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t", 2)
        producer = connection.init_producer()
        for sequence in range(8):
            assert outcome(send(connection, "t", producer, sequence)) == (0, sequence)
        identities = {connection.init_producer()[0] for _ in range(10)}
    for _ in range(2):
        server.restart(kill=kill)
        with server.connect() as connection:
            assert outcome(send(connection, "t", producer, 6)) == (0, 6)
            assert send(connection, "t", producer, 20).error_code == Error.OUT_OF_ORDER_SEQUENCE
            fresh = {connection.init_producer()[0] for _ in range(10)}
            assert not fresh & identities
            identities |= fresh
    with server.connect() as connection:
        assert outcome(send(connection, "t", producer, 8)) == (0, 8)
        assert [r.value for r in connection.read_all("t")] == [b"%d" % n for n in range(9)]
