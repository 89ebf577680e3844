"""Bytes that are not requests, clients without manners, and requests that claim the impossible.

The `server` fixture proves after each test that another client is served, that nothing was lost, and that memory
stayed within its bound.
"""

import random
import socket
import threading
import time

import pytest

from wire import administration, batch, definitions, groups
from wire.connection import Closed, encode_request
from wire.definitions import (API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, DESCRIBE_TOPIC_PARTITIONS, FETCH,
                              INIT_PRODUCER_ID, LIST_OFFSETS, METADATA, PRODUCE)
from wire.primitives import Raw, int32, unsigned_varint


def requests(topic):
    """(api, version, fields): one plausible request of every version of every API."""
    data = batch.encode([b"value"])
    fields = {
        PRODUCE: lambda v: {"topic_data": [{("name" if v < 13 else "topic_id"): topic if v < 13 else bytes(16),
                                            "partition_data": [{"records": data}]}]},
        FETCH: lambda v: {"topics": [{("topic" if v < 13 else "topic_id"): topic if v < 13 else bytes(16),
                                      "partitions": [{"fetch_offset": 0}]}]},
        LIST_OFFSETS: lambda v: {"topics": [{"name": topic, "partitions": [{"timestamp": -1}]}]},
        METADATA: lambda v: {"topics": [{"name": topic}], **({"allow_auto_topic_creation": False} if v >= 4 else {})},
        definitions.FIND_COORDINATOR: lambda v: {"coordinator_keys": ["g"]} if v >= 4 else {"key": "g"},
        API_VERSIONS: lambda v: {"client_software_name": "n", "client_software_version": "1"} if v >= 3 else {},
        CREATE_TOPICS: lambda v: {"topics": [{"name": topic, "num_partitions": 1, "replication_factor": 1}],
                                  "validate_only": True},
        DELETE_TOPICS: lambda v: {"topics": [{"name": "none"}]} if v >= 6 else {"topic_names": ["none"]},
        INIT_PRODUCER_ID: lambda v: {},
        definitions.DESCRIBE_CLUSTER: lambda v: {},
        DESCRIBE_TOPIC_PARTITIONS: lambda v: {"topics": [{"name": topic}]},
        **administration_requests(topic),
        **group_requests(topic),
    }
    return [(api, version, fields[api](version)) for api in definitions.ALL for version in api.versions]


def administration_requests(topic):
    """The same of administrators. Nothing is changed by those that are whole."""
    resource = {"resource_type": 2, "resource_name": "none"}
    topics = {"topics": [{"topic": topic, "partitions": [0]}]}
    return {api: fields for api, fields in [
        (administration.DELETE_RECORDS, lambda v: {"topics": [{"name": "none", "partitions": [
            {"partition_index": 0, "offset": 0}]}]}),
        (administration.OFFSET_FOR_LEADER_EPOCH, lambda v: {"topics": [{"topic": "none", "partitions": [
            {"partition": 0, "leader_epoch": 0}]}]}),
        (administration.DESCRIBE_CONFIGS, lambda v: {"resources": [resource]}),
        (administration.ALTER_CONFIGS, lambda v: {"resources": [{**resource, "configs": [
            {"name": "retention.ms", "value": "1"}]}], "validate_only": True}),
        (administration.DESCRIBE_LOG_DIRS, lambda v: topics),
        (administration.CREATE_PARTITIONS, lambda v: {"topics": [{"name": "none", "count": 2}],
                                                      "validate_only": True}),
        (administration.INCREMENTAL_ALTER_CONFIGS, lambda v: {"resources": [{**resource, "configs": [
            {"name": "retention.ms", "config_operation": 0, "value": "1"}]}], "validate_only": True}),
        (administration.DESCRIBE_PRODUCERS, lambda v: {"topics": [{"name": "none", "partition_indexes": [0]}]}),
    ]}


def group_requests(topic):
    """The same of consumer groups. Members are unknown: what is whole is refused at once."""
    partition = {"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 1}]}
    member = {"group_id": "g", "generation_id": 1, "member_id": "m", "group_instance_id": "i"}
    wanted = [{"name": topic, "partition_indexes": [0]}]
    return {
        groups.OFFSET_COMMIT: lambda v: {"group_id": "g", "member_id": "m", "generation_id_or_member_epoch": 1,
                                              "topics": [partition]},
        groups.OFFSET_FETCH: lambda v: {"group_id": "g", "topics": wanted,
                                             "groups": [{"group_id": "g", "topics": wanted}]},
        groups.JOIN_GROUP: lambda v: {"group_id": "g", "session_timeout_ms": 10_000, "member_id": "m",
                                           "protocol_type": "consumer",
                                           "protocols": [{"name": "range", "metadata": b"x"}]},
        groups.HEARTBEAT: lambda v: member,
        groups.LEAVE_GROUP: lambda v: {"group_id": "g", "member_id": "m", "members": [{"member_id": "m"}]},
        groups.SYNC_GROUP: lambda v: {**member, "protocol_type": "consumer", "protocol_name": "range",
                                           "assignments": [{"member_id": "m", "assignment": b"x"}]},
        groups.DESCRIBE_GROUPS: lambda v: {"groups": ["g"]},
        groups.LIST_GROUPS: lambda v: {"states_filter": ["Stable"], "types_filter": ["classic"]},
        groups.DELETE_GROUPS: lambda v: {"groups_names": ["g"]},
        groups.OFFSET_DELETE: lambda v: {"group_id": "g", "topics": [{"name": topic, "partitions": [
            {"partition_index": 0}]}]},
    }


def refusals(server):
    """Connections that the server says it closed because of what they sent."""
    return server.metric("millrace_kafka_connections_closed_total", reason="frame-size")


# Frames

@pytest.mark.parametrize("data", [
    pytest.param(int32(-1), id="negative size"),
    pytest.param(int32(-(1 << 31)), id="most negative size"),
    pytest.param(int32((1 << 31) - 1) + b"x" * 1000, id="2 GB announced"),
    pytest.param(int32(600 << 20), id="600 MB announced"),
    pytest.param(int32(0), id="empty frame"),
    pytest.param(int32(3) + b"abc", id="shorter than a header"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", id="HTTP"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), id="TLS"),
    pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="SSH"),
    pytest.param(int32(12) + b"\x7f\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", id="unknown API"),
    pytest.param(int32(12) + b"\xff\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", id="negative API"),
    pytest.param(int32(10) + b"\x00\x03\x00\x63\x00\x00\x00\x01\xff\xff", id="unknown Metadata version"),
    pytest.param(int32(10) + b"\x00\x01\x00\x03\x00\x00\x00\x01\xff\xff", id="Fetch version 3"),
    pytest.param(int32(10) + b"\x00\x03\x00\x01\x00\x00\x00\x01\x7f\xff", id="client name longer than the frame"),
    pytest.param(int32(10) + b"\x00\x03\x00\x01\x00\x00\x00\x01\x80\x00", id="client name of negative length"),
])
def test_what_is_no_request_ends_the_connection(server, data):
    with server.connect() as connection:
        connection.send_bytes(data)
        assert connection.is_closed()


def test_refusals_are_counted_and_logged(server):
    before, logged = refusals(server), len(server.log_text())
    for n in range(5):
        with server.connect() as connection:
            connection.send_bytes(int32(-n - 1))
            assert connection.is_closed()
    assert refusals(server) >= before + 5
    assert len(server.log_text()) > logged


def test_refusals_do_not_flood_the_log(server):
    logged = len(server.log_text())
    for _ in range(2000):
        with server.connect() as connection:
            connection.send_bytes(int32(-1))
            connection.is_closed()
    # Each would be a line of 200 bytes or more; a few per second are let through, with the number that was not.
    assert len(server.log_text()) - logged < 100_000


@pytest.mark.parametrize("seed", range(20))
def test_garbage(server, seed):
    rng = random.Random(seed)
    for _ in range(20):
        with server.connect() as connection:
            try:
                if rng.random() < 0.5:
                    connection.send_bytes(rng.randbytes(rng.randrange(1, 2000)))
                else:
                    # A true header of some API, and then noise.
                    api = rng.choice(definitions.ALL)
                    header = encode_request(api, rng.choice(api.versions), 1, {})[:15]
                    connection.send_frame(header + rng.randbytes(rng.randrange(0, 300)))
                connection.socket.shutdown(socket.SHUT_WR)
                assert connection.is_closed()
            except OSError:
                pass


def test_every_request_cut_at_every_byte(server, topic):
    """A frame whose body ends early is refused, or answered; never waited for, never fatal."""
    with server.connect() as connection:
        connection.create_topic(topic)
    for api, version, fields in requests(topic):
        whole = encode_request(api, version, 1, fields)
        step = max(1, len(whole) // 24)
        for length in range(8, len(whole), step):
            with server.connect() as connection:
                connection.send_frame(whole[:length])
                connection.socket.shutdown(socket.SHUT_WR)
                assert connection.is_closed(), (api, version, length)
    with server.connect() as connection:
        assert connection.read_all(topic) == []


def test_every_request_with_every_byte_damaged(server, topic):
    """One flipped byte anywhere. Produce is left out: its damage is the subject of test_bad_batches."""
    with server.connect() as connection:
        connection.create_topic(topic)
    rng = random.Random(7)
    for api, version, fields in requests(topic):
        if api is PRODUCE:
            continue
        whole = encode_request(api, version, 1, fields)
        for position in rng.sample(range(8, len(whole)), min(12, len(whole) - 8)):
            damaged = bytearray(whole)
            damaged[position] ^= rng.randrange(1, 256)
            with server.connect() as connection:
                connection.send_frame(bytes(damaged))
                connection.reset()


# Claims

HUGE = (1 << 31) - 1


def huge_array(flexible, count=HUGE):
    return Raw(unsigned_varint(count + 1) if flexible else int32(count))


@pytest.mark.parametrize("count", [1_000_000_000, HUGE, 100_000, -2], ids=["billion", "most", "100k", "minus 2"])
@pytest.mark.parametrize("api,version,field", [
    (METADATA, 1, "topics"), (METADATA, 12, "topics"), (PRODUCE, 3, "topic_data"), (PRODUCE, 9, "topic_data"),
    (FETCH, 4, "topics"), (FETCH, 12, "topics"), (FETCH, 12, "forgotten_topics_data"), (LIST_OFFSETS, 1, "topics"),
    (LIST_OFFSETS, 6, "topics"), (CREATE_TOPICS, 2, "topics"), (CREATE_TOPICS, 7, "topics"),
    (DELETE_TOPICS, 1, "topic_names"), (DELETE_TOPICS, 6, "topics"), (DESCRIBE_TOPIC_PARTITIONS, 0, "topics"),
], ids=str)
def test_an_array_larger_than_its_frame(server, api, version, field, count):
    before = server.resident_bytes()
    claim = huge_array(api.is_flexible(version), count) if count > 0 else Raw(
        unsigned_varint((1 << 32) - 2) if api.is_flexible(version) else int32(count))
    with server.connect() as connection:
        connection.send(api, version, **{field: claim})
        assert connection.is_closed()
    assert server.resident_bytes() - before < 64 << 20


@pytest.mark.parametrize("version", [3, 9])
def test_a_billion_partitions_in_a_produce_request(server, topic, version):
    flexible = version >= 9
    with server.connect() as connection:
        connection.create_topic(topic)
        connection.send(PRODUCE, version, topic_data=[
            {"name": topic, "partition_data": huge_array(flexible, 1_000_000_000)}])
        assert connection.is_closed()


@pytest.mark.parametrize("count", [1_000_000_000, HUGE, 1_000_000])
def test_a_topic_of_a_billion_partitions(server, topic, count):
    began = time.monotonic()
    with server.connect() as connection:
        wanted = {"name": topic, "num_partitions": count, "replication_factor": 1}
        made = connection.call(CREATE_TOPICS, 7, topics=[wanted]).topics[0]
        assert made.error_code in (definitions.Error.INVALID_PARTITIONS, definitions.Error.POLICY_VIOLATION)
        assert connection.metadata(topic, create=False).topics[0].error_code != 0
    assert time.monotonic() - began < 5


def test_the_same_partition_ten_thousand_times(server, topic):
    """A small request that asks for 10 GB: the response keeps to max_bytes, memory to its bound."""
    with server.connect() as connection:
        connection.create_topic(topic, max_message_bytes=4 << 20)
        connection.produce(topic, [b"x" * 900_000])
        parts = [{"fetch_offset": 0, "partition_max_bytes": HUGE}] * 10_000
        body = connection.call(FETCH, 12, max_wait_ms=0, min_bytes=1, max_bytes=8 << 20,
                               topics=[{"topic": topic, "partitions": parts}])
        sizes = [len(p.records or b"") for t in body.responses for p in t.partitions]
        assert sum(sizes) <= 16 << 20


def test_a_deep_varint(server):
    """A compact length of ten bytes, all ones."""
    with server.connect() as connection:
        connection.send(METADATA, 9, topics=Raw(b"\xff" * 9 + b"\x01"))
        assert connection.is_closed()


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../../etc/passwd", "/etc/passwd", "a\\b", "a b", "a\0b", "ä",
                                  "a" * 250, "x" * 32000, "%2e%2e", "a\nb", "~root", "..\\..", "con:1"],
                         ids=lambda n: repr(n)[:20])
def test_names_that_are_no_names(server, name):
    beside = sorted(path.name for path in server.directory.iterdir())
    inside = sorted(path.name for path in (server.data / "log").iterdir())
    invalid = definitions.Error.INVALID_TOPIC
    unknown = definitions.Error.UNKNOWN_TOPIC_OR_PARTITION
    with server.connect() as connection:
        wanted = {"name": name, "num_partitions": 1, "replication_factor": 1}
        assert connection.call(CREATE_TOPICS, 7, topics=[wanted]).topics[0].error_code == invalid
        assert connection.metadata(name).topics[0].error_code == invalid
        assert connection.produce(name, [b"x"]).error_code in (invalid, unknown)
        assert connection.fetch(name, 0).error_code in (invalid, unknown)
        assert connection.list_offset(name, -1).error_code in (invalid, unknown)
        assert connection.delete_topic(name) in (invalid, unknown)
    assert sorted(path.name for path in server.directory.iterdir()) == beside
    assert sorted(path.name for path in (server.data / "log").iterdir()) == inside


def test_a_name_that_is_not_utf8(server):
    with server.connect() as connection:
        name = Raw(b"\x04\xff\xfe\x80")
        connection.send(METADATA, 9, topics=[{"name": name}])
        try:
            frame = connection.read_frame()
            assert b"\x00\x11" in frame
        except Closed:
            pass


def test_names_that_differ_only_by_dots_and_underscores_or_are_long_work(server, topic):
    longest = topic + "-" + "a" * (249 - len(topic) - 1)
    with server.connect() as connection:
        for name in (longest, topic + ".with.dots", topic + "_under", "-" + topic, "..." + topic):
            connection.create_topic(name)
            assert connection.produce(name, [b"x"]).error_code == 0


# Slow, silent and vanishing clients

def test_a_request_that_trickles_in(server, topic):
    with server.connect() as connection, server.connect() as other:
        frame = encode_request(METADATA, 9, 1, {"topics": [], "allow_auto_topic_creation": False})
        for byte in int32(len(frame)) + frame:
            connection.send_bytes(bytes([byte]))
            time.sleep(0.005)
        connection.receive(METADATA, 9, 1)
        # Two requests in a piece, and one across pieces.
        data = int32(len(frame)) + frame
        connection.send_bytes(data + data[:7])
        connection.receive(METADATA, 9, 1)
        assert other.metadata().topics == []
        connection.send_bytes(data[7:])
        connection.receive(METADATA, 9, 1)


def test_many_tricklers_do_not_hold_up_the_others(server, topic):
    """A hundred clients announce 1 MB each, and send a byte now and then."""
    before = server.resident_bytes()
    slow = [server.connect() for _ in range(100)]
    for connection in slow:
        connection.send_bytes(int32(1 << 20) + b"\x00\x00\x00\x09")
    with server.connect() as connection:
        connection.create_topic(topic)
        for n in range(50):
            slow[n].send_bytes(b"x")
            began = time.monotonic()
            assert connection.produce(topic, [b"x"]).error_code == 0
            assert time.monotonic() - began < 5
    assert server.resident_bytes() - before < 160 << 20
    for connection in slow:
        connection.reset()


def vanish(server, topic, phase):
    """One client that goes away in `phase`."""
    connection = server.connect()
    request = encode_request(PRODUCE, 9, 1, {"topic_data": [
        {"name": topic, "partition_data": [{"records": batch.encode([b"kept or not"])}]}]})
    framed = int32(len(request)) + request
    if phase == "in the size":
        connection.send_bytes(framed[:2])
    elif phase == "after the size":
        connection.send_bytes(framed[:4])
    elif phase == "in the body":
        connection.send_bytes(framed[:-5])
    elif phase == "before the answer":
        connection.send_bytes(framed)
    elif phase == "in a long poll":
        connection.send_fetch(topic + "-empty", 0, max_wait=60_000)
        time.sleep(0.02)
    elif phase == "in a large answer":
        connection.send_fetch(topic + "-large", 0, maximum=64 << 20)
        connection.socket.recv(1000)
    elif phase == "with ten requests outstanding":
        for _ in range(10):
            connection.send_fetch(topic + "-large", 0, maximum=1 << 20)
            connection.send_bytes(framed)
    return connection


def leaks(server, before):
    """The targets that are open at least three times more often than they were: sockets of clients, files that they read."""
    return {target: count for target, count in server.open_targets().items() if count > before[target] + 2}


@pytest.mark.parametrize("farewell", ["fin", "rst", "half"])
@pytest.mark.parametrize("phase", ["at once", "in the size", "after the size", "in the body", "before the answer",
                                   "in a long poll", "in a large answer", "with ten requests outstanding"])
def test_clients_that_vanish(server, topic, phase, farewell):
    with server.connect() as connection:
        connection.create_topic(topic)
        connection.create_topic(topic + "-empty")
        connection.create_topic(topic + "-large")
        for _ in range(4):
            connection.produce(topic + "-large", [b"x" * 500_000])
        before = server.open_targets()
        for _ in range(25):
            gone = vanish(server, topic, phase)
            if farewell == "rst":
                gone.reset()
            elif farewell == "half":
                gone.socket.shutdown(socket.SHUT_WR)
                if phase == "in a long poll":
                    gone.close()
                else:
                    assert gone.is_closed(30), "a half-closed connection is kept"
                    gone.close()
            else:
                gone.close()
        # The server opens files of its own meanwhile, such as the partitions of its groups, but each of them once.
        # A leak would be 25 sockets more, or one file open 25 times.
        deadline = time.monotonic() + 20
        while (leaked := leaks(server, before)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not leaked
        # What was stored is whole.
        assert {r.value for r in connection.read_all(topic)} <= {b"kept or not"}


def test_a_client_that_never_reads(server, topic):
    """It asks for 1 GB and takes nothing: its requests wait, memory does not grow, others go on."""
    with server.connect() as connection:
        connection.create_topic(topic)
        connection.produce(topic, [b"x" * 900_000])
        before = server.resident_bytes()
        greedy = server.connect(timeout=2)
        try:
            for _ in range(1200):
                greedy.send_fetch(topic, 0, maximum=1 << 20)
        except OSError:
            pass
        for _ in range(20):
            began = time.monotonic()
            assert connection.metadata(topic).topics[0].error_code == 0
            assert time.monotonic() - began < 5
        assert server.resident_bytes() - before < 100 << 20
        greedy.reset()


def test_a_client_that_asks_much_and_never_reads(server):
    """Half a million small requests: the answers wait in bounded space, then the reading stops."""
    before = server.resident_bytes()
    deaf = server.connect(timeout=1)
    frame = encode_request(METADATA, 1, 1, {"topics": None})
    block = (int32(len(frame)) + frame) * 1000
    try:
        for _ in range(500):
            deaf.send_bytes(block)
    except OSError:
        pass
    assert server.resident_bytes() - before < 100 << 20
    with server.connect() as connection:
        assert connection.metadata().topics == []
    deaf.reset()


def test_many_idle_connections(server):
    before = server.resident_bytes(), server.open_targets()
    idle = [server.connect() for _ in range(500)]
    with server.connect() as connection:
        assert connection.call(API_VERSIONS, 0).error_code == 0
    assert server.resident_bytes() - before[0] < 100 << 20
    for connection in idle:
        connection.close()
    deadline = time.monotonic() + 20
    while (leaked := leaks(server, before[1])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not leaked


def test_large_frames_from_many_at_once_stay_in_the_memory_budget(new_server, topic):
    """Twenty clients send 40 MB each and stop short of the end; 512 MB is the bound of all that is unfinished."""
    server = new_server()
    before = server.resident_bytes()
    size = 40 << 20
    stuck = []
    chunk = bytes(1 << 20)

    def send():
        connection = server.connect(timeout=3)
        stuck.append(connection)
        try:
            connection.send_bytes(int32(size) + b"\x00\x00\x00\x09\x00\x00\x00\x01\xff\xff\x00")
            for _ in range(39):
                connection.send_bytes(chunk)
        except OSError:
            pass

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    grown = server.resident_bytes() - before
    for connection in stuck:
        connection.reset()
    assert grown < 600 << 20, f"{grown >> 20} MB for frames that are not complete"
    # The budget is free again: a large produce passes.
    with server.connect() as connection:
        connection.create_topic(topic)
        assert connection.produce(topic, [b"x" * 900_000]).error_code == 0
