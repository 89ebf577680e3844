"""Fetch sessions (KIP-227): byte for byte, by people of bad will, and by the clients that use them.

kafka-python uses sessions from 2.1 on. librdkafka (so confluent-kafka and kcat) and aiokafka ask for every partition
every time; kafka-python 2.0 does too.
"""

import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients.catalog import ALL
from wire.definitions import FETCH, Error

USES_SESSIONS = {"kafka-python", "kafka-python-2024"}
UNKNOWN_ID = b"\x11" * 16


class Session:
    """A fetch session on whichever connection it is given."""

    def __init__(self, version=12, session_id=0, epoch=0):
        self.version, self.id, self.epoch = version, session_id, epoch

    def send(self, connection, wanted=(), forget=(), **options):
        """Sends one request: `wanted` is (topic, partition, offset)s, `forget` (topic, partition)s."""
        name = "topic" if self.version < 13 else "topic_id"
        topics = [{name: topic, "partitions": [{"partition": partition, "fetch_offset": offset}]}
                  for topic, partition, offset in wanted]
        forgotten = [{name: topic, "partitions": [partition]} for topic, partition in forget]
        return connection.send(FETCH, self.version, **{"max_wait_ms": 0, "min_bytes": 1, **options},
                               session_id=self.id, session_epoch=self.epoch, topics=topics,
                               forgotten_topics_data=forgotten)

    def fetch(self, connection, wanted=(), forget=(), **options):
        """Goes on with the session: the whole response."""
        body = connection.receive(FETCH, self.version, self.send(connection, wanted, forget, **options))
        self.id, self.epoch = body.session_id, self.epoch + 1
        return body


def told(body):
    """What a response tells: topic, partition, error and high watermark."""
    return [(getattr(topic, "topic", None) or topic.topic_id, part.partition_index, part.error_code,
             part.high_watermark) for topic in body.responses for part in topic.partitions]


@pytest.mark.parametrize("version", [v for v in FETCH.versions if v >= 7])
def test_only_news_is_told(connection, topic, version):
    created = connection.create_topic(topic, partitions=3)
    name = topic if version < 13 else created.topic_id
    session = Session(version)
    first = session.fetch(connection, [(name, p, 0) for p in range(3)])
    assert first.error_code == 0 and first.session_id > 0
    assert told(first) == [(name, p, 0, 0) for p in range(3)]
    assert told(session.fetch(connection)) == []
    connection.produce(topic, [b"x"], partition=1)
    second = session.fetch(connection)
    assert told(second) == [(name, 1, 0, 1)] and second.session_id == first.session_id
    assert second.responses[0].partitions[0].records
    assert told(session.fetch(connection, [(name, 1, 1)])) == []
    connection.produce(topic, [b"x"], partition=0)
    connection.produce(topic, [b"x"], partition=2)
    assert told(session.fetch(connection, forget=[(name, 0)])) == [(name, 2, 0, 1)]


@pytest.mark.parametrize("version", [4, 5, 6])
def test_old_versions_have_no_sessions(connection, topic, version):
    connection.create_topic(topic)
    body = connection.receive(FETCH, version, connection.send_fetch(topic, 0, version=version))
    assert told(body) == [(topic, 0, 0, 0)]


def test_every_refusal(server, connection, topic):
    topic_id = connection.create_topic(topic).topic_id
    by_name, by_id = Session(12), Session(13)
    by_name.fetch(connection, [(topic, 0, 0)])
    by_id.fetch(connection, [(topic_id, 0, 0)])
    for version, session_id, epoch, error in (
            (12, by_name.id ^ 1, 1, Error.FETCH_SESSION_ID_NOT_FOUND), (12, 0, 5, Error.FETCH_SESSION_ID_NOT_FOUND),
            (12, -by_name.id, 1, Error.FETCH_SESSION_ID_NOT_FOUND),
            (12, 0x7fffffff, 0x7fffffff, Error.FETCH_SESSION_ID_NOT_FOUND),
            (12, by_name.id, 2, Error.INVALID_FETCH_SESSION_EPOCH),
            (12, by_name.id, -2, Error.INVALID_FETCH_SESSION_EPOCH),
            (12, by_name.id, 0x7fffffff, Error.INVALID_FETCH_SESSION_EPOCH),
            (13, by_name.id, 1, Error.FETCH_SESSION_TOPIC_ID_ERROR),
            (12, by_id.id, 1, Error.FETCH_SESSION_TOPIC_ID_ERROR)):
        body = Session(version, session_id, epoch).fetch(connection)
        assert (body.error_code, body.session_id, body.responses) == (error, 0, []), (version, session_id, epoch)
    # Nobody else's session was hurt, and the errors were counted.
    assert by_name.fetch(connection).error_code == by_id.fetch(connection).error_code == 0
    assert server.metric("millrace_kafka_errors_total", api="Fetch", error="FETCH_SESSION_TOPIC_ID_ERROR") >= 2


def test_forgetting_what_was_never_there_hurts_nobody(connection, topic):
    connection.create_topic(topic)
    session = Session()
    session.fetch(connection, [(topic, 0, 0)])
    body = session.fetch(connection, forget=[("no-such-topic", 3), (topic, 99), (topic, -1)])
    assert (body.error_code, told(body)) == (0, [])
    body = session.fetch(connection, forget=[(topic, 0)])
    assert (body.error_code, body.session_id) == (0, 0)


def test_two_connections_cannot_both_go_on(server, connection, topic):
    connection.create_topic(topic)
    session = Session()
    session.fetch(connection, [(topic, 0, 0)])
    waiting = session.send(connection, max_wait_ms=10_000)
    with server.connect() as other:
        twin = Session(12, session.id, 1)
        first = twin.fetch(other)
        # Whoever came first has the epoch.
        if first.error_code == 0:
            loser = connection.receive(FETCH, 12, waiting)
            assert loser.error_code == Error.INVALID_FETCH_SESSION_EPOCH
        else:
            assert first.error_code == Error.INVALID_FETCH_SESSION_EPOCH
            heir = Session(12, session.id, 2)
            assert heir.fetch(other).error_code == 0
            other.produce(topic, [b"x"])
            assert connection.receive(FETCH, 12, waiting).error_code == Error.INVALID_FETCH_SESSION_EPOCH
            assert told(heir.fetch(other)) == [(topic, 0, 0, 1)]


def test_a_topic_deleted_and_made_again_inside_a_session(connection, topic):
    old = connection.create_topic(topic).topic_id
    by_name, by_id = Session(12), Session(13)
    for _ in range(2):
        by_name.fetch(connection, [(topic, 0, 0)])
        by_id.fetch(connection, [(old, 0, 0)])
    assert connection.delete_topic(topic) == 0
    assert told(by_name.fetch(connection)) == [(topic, 0, Error.UNKNOWN_TOPIC_OR_PARTITION, -1)]
    assert told(by_id.fetch(connection)) == [(old, 0, Error.UNKNOWN_TOPIC_OR_PARTITION, -1)]
    new = connection.create_topic(topic).topic_id
    assert told(by_name.fetch(connection)) == [(topic, 0, 0, 0)]
    assert told(by_id.fetch(connection)) == [(old, 0, Error.INCONSISTENT_TOPIC_ID, -1)]
    assert told(by_id.fetch(connection, [(new, 0, 0)], forget=[(old, 0)])) == [(new, 0, 0, 0)]
    assert told(Session(13).fetch(connection, [(UNKNOWN_ID, 0, 0)])) == [(UNKNOWN_ID, 0, Error.UNKNOWN_TOPIC_ID, -1)]


def test_thousands_of_sessions_meet_the_bound(new_server, topic):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic(topic, partitions=2)
        sessions = []
        for _ in range(2_000):
            sessions.append(Session())
            body = sessions[-1].fetch(connection, [(topic, 0, 0), (topic, 1, 0)])
            # Without a session the answer is as good.
            assert body.error_code == 0 and len(told(body)) == 2
        kept = [session for session in sessions if session.id]
        assert len(kept) == 1_000 and kept == sessions[:1_000]
        assert server.metric("millrace_fetch_sessions") == 1_000
        assert server.metric("millrace_fetch_session_partitions") == 2_000
        assert server.metric("millrace_fetch_sessions_refused_total") == 1_000
        assert kept[500].fetch(connection).error_code == 0
        # Whoever leaves makes room.
        Session(12, kept[0].id, -1).fetch(connection)
        late = Session()
        assert late.fetch(connection, [(topic, 0, 0)]).session_id > 0
        assert server.metric("millrace_fetch_sessions") == 1_000


def test_a_session_cannot_outgrow_the_memory(new_server, topic):
    server = new_server()
    with server.connect() as connection:
        session = Session()
        session.fetch(connection, [("hoard", 0, 0)])
        before, added = server.resident_bytes(), 1
        for step in range(1, 40):
            topics = [{"topic": "hoard", "partitions": [{"partition": step * 10_000 + n} for n in range(10_000)]}]
            asked = connection.send(FETCH, 12, max_wait_ms=0, min_bytes=1, session_id=session.id, session_epoch=step,
                                    topics=topics)
            body = connection.receive(FETCH, 12, asked)
            if body.error_code:
                break
            added += 10_000
        assert body.error_code == Error.FETCH_SESSION_ID_NOT_FOUND and 50_000 < added <= 100_000
        assert server.metric("millrace_fetch_sessions") == server.metric("millrace_fetch_session_partitions") == 0
        assert server.resident_bytes() - before < 256 << 20


@pytest.mark.parametrize("name", [name for name in ALL if name != "kcat"])
def test_real_clients_read_everything_with_or_without(new_server, topic, name):
    """Which clients use sessions, and that each reads many partitions whole. kcat reads as librdkafka does."""
    server, client = new_server(), ALL[name]
    with server.connect() as connection, ThreadPoolExecutor() as pool:
        connection.create_topic(topic, partitions=20)
        reading = pool.submit(client.consume, server.bootstrap, {(topic, p): 0 for p in range(20)}, 200)
        deadline = time.monotonic() + 20
        while server.metric("millrace_kafka_waiting_fetches") == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        for number in range(200):
            assert connection.produce(topic, [b"%d" % number], partition=number % 20).error_code == 0
        assert sorted(int(message.value) for message in reading.result()) == list(range(200))
    assert (server.metric("millrace_fetch_incremental_total") > 0) == (name in USES_SESSIONS)


def test_a_crowd_in_one_session_hurts_nobody_else(server, connection, topic):
    """Many connections, so both event loops, in one session with any epoch, while its topics come and go."""
    connection.create_topic(topic, partitions=4)
    honest, first = Session(), Session()
    honest.fetch(connection, [(topic, partition, 0) for partition in range(4)])
    first.fetch(connection, [(topic, partition, 0) for partition in range(4)])
    # The session, and the epoch that whoever got through last has left it at.
    at, allowed = [(first.id, 1)], {0, Error.INVALID_FETCH_SESSION_EPOCH, Error.FETCH_SESSION_ID_NOT_FOUND}

    def push(number):
        chance, successes = random.Random(number), 0
        with server.connect() as mine:
            for _ in range(150):
                session, epoch = at[0]
                guess = epoch + chance.choice([0, 0, 0, 1, -1, 0x7fff])
                wanted = [(chance.choice([topic, f"{topic}-gone"]), chance.randrange(6), chance.choice([0, 1, 99]))]
                forget = [(topic, chance.randrange(6))] if chance.random() < 0.3 else []
                intruder = Session(12, session, guess)
                body = intruder.fetch(mine, wanted, forget, max_wait_ms=chance.choice([0, 0, 3]))
                assert body.error_code in allowed
                if body.error_code == 0:
                    successes += 1
                    at[0] = max(at[0], (session, guess + 1)) if at[0][0] == session else at[0]
                elif body.error_code == Error.FETCH_SESSION_ID_NOT_FOUND or chance.random() < 0.1:
                    # Somebody forgot its last partition; or nobody knows any more where it is.
                    begun = Session(12, session, 0)
                    begun.fetch(mine, [(topic, 0, 0)])
                    at[0] = (begun.id, 1)
        return successes

    with ThreadPoolExecutor(8) as pool:
        crowd = [pool.submit(push, number) for number in range(8)]
        with server.connect() as other:
            for _ in range(20):
                other.create_topic(f"{topic}-gone")
                other.produce(topic, [b"x"], partition=3)
                assert other.delete_topic(f"{topic}-gone") == 0
        assert sum(one.result() for one in crowd) > 20
    assert told(honest.fetch(connection)) == [(topic, 3, 0, 20)]
