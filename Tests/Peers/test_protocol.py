"""The wire, byte for byte: every version of the APIs that describe and change, and the traps of each."""

import time

import pytest

from wire import batch, definitions, schema
from wire.connection import decode_response, encode_request
from wire.definitions import (API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, DESCRIBE_CLUSTER, DESCRIBE_TOPIC_PARTITIONS,
                              FIND_COORDINATOR, INIT_PRODUCER_ID, LIST_OFFSETS, METADATA, Error)

UNKNOWN_ID = b"\x11" * 16


def each_version(api):
    return pytest.mark.parametrize("version", api.versions)


# ApiVersions

def client_names(version):
    """KIP-511: a client says what it is from version 3 on."""
    return {"client_software_name": "proof", "client_software_version": "1.0"} if version >= 3 else {}


@each_version(API_VERSIONS)
def test_exactly_the_promised_versions_are_advertised(connection, version):
    body = connection.call(API_VERSIONS, version, **client_names(version))
    assert body.error_code == 0
    offered = {key.api_key: (key.min_version, key.max_version) for key in body.api_keys}
    assert offered == {api.key: (api.advertised[0], api.advertised[-1]) for api in definitions.ALL}


@pytest.mark.parametrize("version", [5, 99, 32767])
def test_unknown_api_versions_version_gets_a_v0_answer_on_an_open_connection(connection, version):
    # The body is one that a future client may send: nothing of it can be relied upon.
    connection.correlation_id += 1
    header = encode_request(API_VERSIONS, 4, connection.correlation_id, {})
    connection.send_frame(header[:2] + version.to_bytes(2, "big") + header[4:] + b"\x7f\x00\xff")
    body = connection.receive(API_VERSIONS, 0, connection.correlation_id)
    assert body.error_code == Error.UNSUPPORTED_VERSION
    assert (18, 0, 4) in [(k.api_key, k.min_version, k.max_version) for k in body.api_keys]
    assert connection.call(API_VERSIONS, 4, **client_names(4)).error_code == 0
    assert connection.metadata().topics == []


def test_api_versions_may_be_asked_again_and_again(connection):
    for version in (0, 3, 1, 4, 2):
        assert connection.call(API_VERSIONS, version, **client_names(version)).error_code == 0


# Metadata

@each_version(METADATA)
def test_metadata_names_the_broker_and_creates_topics(server, connection, topic, version):
    body = connection.call(METADATA, version, topics=[{"name": topic}], allow_auto_topic_creation=True)
    broker = body.brokers[0]
    assert (broker.host, broker.port) == ("127.0.0.1", server.kafka_port)
    assert len(body.brokers) == 1
    if version >= 1:
        assert body.controller_id == broker.node_id
    if version >= 2:
        assert body.cluster_id
    deadline = time.monotonic() + 10
    while body.topics[0].error_code and time.monotonic() < deadline:
        body = connection.call(METADATA, version, topics=[{"name": topic}], allow_auto_topic_creation=True)
    found = body.topics[0]
    assert (found.error_code, found.name) == (0, topic)
    assert found.is_internal is False
    for index, partition in enumerate(found.partitions):
        assert (partition.error_code, partition.partition_index, partition.leader_id) == (0, index, broker.node_id)
        assert partition.replica_nodes == partition.isr_nodes == [broker.node_id]
        assert partition.offline_replicas == []
        if version >= 7:
            assert partition.leader_epoch >= 0
    if version >= 10:
        assert found.topic_id != bytes(16)
    if version >= 12:
        by_id = connection.call(METADATA, version, topics=[{"topic_id": found.topic_id, "name": None}]).topics[0]
        assert (by_id.error_code, by_id.name, by_id.topic_id) == (0, topic, found.topic_id)


@pytest.mark.parametrize("version", range(4, 14))
def test_metadata_creates_nothing_when_told_not_to(connection, topic, version):
    for _ in range(2):
        found = connection.call(METADATA, version, topics=[{"name": topic}], allow_auto_topic_creation=False)
        assert found.topics[0].error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
        assert found.topics[0].partitions == []


def test_metadata_of_no_topic_and_of_all(connection, topic):
    connection.create_topic(topic)
    assert topic in [t.name for t in connection.call(METADATA, 0, topics=[]).topics]
    for version in range(1, 14):
        assert topic in [t.name for t in connection.call(METADATA, version, topics=None).topics]
        assert connection.call(METADATA, version, topics=[]).topics == []


def test_metadata_of_an_unknown_id(connection):
    found = connection.call(METADATA, 12, topics=[{"topic_id": UNKNOWN_ID, "name": None}]).topics[0]
    assert found.error_code == Error.UNKNOWN_TOPIC_ID


# ListOffsets

@each_version(LIST_OFFSETS)
def test_every_list_offsets_version(connection, topic, version):
    connection.create_topic(topic)
    stamped = [batch.Record(b"x", timestamp=1000 * n) for n in (1, 2, 9, 4)]
    connection.produce(topic, batch.encode(stamped))
    ask = lambda timestamp: (lambda p: (p.error_code, p.offset, p.timestamp))(
        connection.list_offset(topic, timestamp, version=version))
    assert ask(-2)[:2] == (0, 0)
    assert ask(-1)[:2] == (0, 4)
    assert ask(1001) == (0, 1, 2000)
    assert ask(2001) == (0, 2, 9000)
    assert ask(9001) == (0, -1, -1)
    if version >= 7:
        assert ask(-3) == (0, 2, 9000)
    if version >= 8:
        assert ask(-4)[:2] == (0, 0)
    if version >= 4:
        assert connection.list_offset(topic, -1, version=version).leader_epoch >= 0
    missing = connection.list_offset(topic, -1, partition=9, version=version)
    assert missing.error_code == Error.UNKNOWN_TOPIC_OR_PARTITION


# Topics

@each_version(CREATE_TOPICS)
def test_every_create_topics_version(connection, topic, version):
    wanted = {"name": topic, "num_partitions": 3, "replication_factor": 1,
              "configs": [{"name": "retention.ms", "value": "3600000"}]}
    checked = connection.call(CREATE_TOPICS, version, topics=[wanted], validate_only=True).topics[0]
    assert checked.error_code == 0
    assert connection.metadata(topic, create=False).topics[0].error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    made = connection.call(CREATE_TOPICS, version, topics=[wanted]).topics[0]
    assert (made.name, made.error_code) == (topic, 0)
    if version >= 5:
        # A null here crashes Java's admin client.
        configs = {config.name: config.value for config in made.configs}
        assert configs["retention.ms"] == "3600000"
        assert (made.num_partitions, made.replication_factor) == (3, 1)
    if version >= 7:
        assert made.topic_id == connection.topic_id(topic) != bytes(16)
    assert len(connection.metadata(topic).topics[0].partitions) == 3
    again = connection.call(CREATE_TOPICS, version, topics=[wanted]).topics[0]
    assert again.error_code == Error.TOPIC_ALREADY_EXISTS
    if version >= 5:
        assert again.configs == [] or again.configs is None


def test_create_topics_takes_the_defaults_from_the_broker(connection, topic):
    made = connection.call(CREATE_TOPICS, 7, topics=[
        {"name": topic, "num_partitions": -1, "replication_factor": -1}]).topics[0]
    assert (made.error_code, made.replication_factor) == (0, 1)
    assert made.num_partitions >= 1


@pytest.mark.parametrize("change,code", [
    ({"num_partitions": 0}, Error.INVALID_PARTITIONS),
    ({"num_partitions": -5}, Error.INVALID_PARTITIONS),
    ({"replication_factor": 3}, Error.INVALID_REPLICATION_FACTOR),
    ({"replication_factor": 0}, Error.INVALID_REPLICATION_FACTOR),
    ({"configs": [{"name": "retention.ms", "value": "soon"}]}, Error.INVALID_CONFIG),
    ({"configs": [{"name": "retention.ms", "value": None}]}, None),
    ({"configs": [{"name": "no.such.config", "value": "1"}]}, Error.INVALID_CONFIG),
])
def test_create_topics_refuses_what_cannot_be(connection, topic, change, code):
    wanted = {"name": topic, "num_partitions": 1, "replication_factor": 1, **change}
    made = connection.call(CREATE_TOPICS, 7, topics=[wanted]).topics[0]
    assert made.error_code == code if code is not None else made.error_code in (0, Error.INVALID_CONFIG)
    if code is not None:
        assert made.error_message
        assert connection.metadata(topic, create=False).topics[0].error_code == Error.UNKNOWN_TOPIC_OR_PARTITION


def test_the_same_topic_twice_in_one_request(connection, topic):
    wanted = {"name": topic, "num_partitions": 1, "replication_factor": 1}
    codes = {t.error_code for t in connection.call(CREATE_TOPICS, 7, topics=[wanted, wanted]).topics}
    assert codes <= {Error.INVALID_REQUEST, 0, Error.TOPIC_ALREADY_EXISTS} and codes != {0}


@each_version(DELETE_TOPICS)
def test_every_delete_topics_version(connection, topic, version):
    for name in (topic, topic + "-x"):
        connection.create_topic(name)
        connection.produce(name, [b"x"])
    names = [topic, topic + "-unknown"]
    fields = {"topics": [{"name": n} for n in names]} if version >= 6 else {"topic_names": names}
    answers = connection.call(DELETE_TOPICS, version, **fields).responses
    assert sorted((a.name, a.error_code) for a in answers) == sorted(
        [(topic, 0), (topic + "-unknown", Error.UNKNOWN_TOPIC_OR_PARTITION)])
    assert connection.metadata(topic, create=False).topics[0].error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    if version >= 6:
        identity = connection.topic_id(topic + "-x")
        answers = connection.call(DELETE_TOPICS, version, topics=[
            {"topic_id": identity}, {"topic_id": UNKNOWN_ID}]).responses
        assert {a.topic_id: a.error_code for a in answers} == {identity: 0, UNKNOWN_ID: Error.UNKNOWN_TOPIC_ID}
    else:
        assert connection.delete_topic(topic + "-x") == 0
    # The same name again is another topic: empty, with another id.
    connection.create_topic(topic)
    assert connection.read_all(topic) == []


def test_a_deleted_topic_is_another_one_when_it_returns(connection, topic):
    first = connection.create_topic(topic).topic_id
    connection.produce(topic, [b"old"])
    assert connection.delete_topic(topic) == 0
    second = connection.create_topic(topic).topic_id
    assert first != second
    assert connection.fetch(first, 0, version=13).error_code == Error.UNKNOWN_TOPIC_ID
    assert connection.produce(first, [b"late"], version=13).error_code == Error.UNKNOWN_TOPIC_ID
    assert connection.produce(second, [b"new"], version=13).base_offset == 0


@each_version(DESCRIBE_CLUSTER)
def test_every_describe_cluster_version(server, connection, version):
    body = connection.call(DESCRIBE_CLUSTER, version)
    assert (body.error_code, body.error_message, body.endpoint_type) == (0, None, 1)
    assert [(b.host, b.port) for b in body.brokers] == [("127.0.0.1", server.kafka_port)]
    assert body.controller_id == body.brokers[0].broker_id
    assert body.cluster_id == connection.call(METADATA, 8, topics=[]).cluster_id


def test_describe_topic_partitions_pages(connection, topic):
    names = [f"{topic}-{letter}" for letter in "ab"]
    for name in names:
        connection.create_topic(name, 5)
    seen, cursor = [], None
    for _ in range(20):
        body = connection.call(DESCRIBE_TOPIC_PARTITIONS, 0, topics=[{"name": n} for n in names],
                               response_partition_limit=3, cursor=cursor)
        here = [(t.name, p.partition_index) for t in body.topics for p in t.partitions]
        assert 0 < len(here) <= 3
        seen += here
        cursor = body.next_cursor
        if cursor is None:
            break
    assert seen == [(name, index) for name in names for index in range(5)]
    body = connection.call(DESCRIBE_TOPIC_PARTITIONS, 0, topics=[{"name": topic + "-unknown"}])
    assert [t.error_code for t in body.topics] == [Error.UNKNOWN_TOPIC_OR_PARTITION]


# Producers

@each_version(INIT_PRODUCER_ID)
def test_every_init_producer_id_version(connection, version):
    ids = set()
    for _ in range(3):
        body = connection.call(INIT_PRODUCER_ID, version, transaction_timeout_ms=60000)
        assert (body.error_code, body.producer_epoch) == (0, 0)
        ids.add(body.producer_id)
    assert len(ids) == 3 and min(ids) >= 0


def test_transactions_are_refused_clearly(connection):
    body = connection.call(INIT_PRODUCER_ID, 4, transactional_id="t", transaction_timeout_ms=60000)
    assert body.error_code != 0 and body.producer_id == -1


@each_version(FIND_COORDINATOR)
def test_this_broker_coordinates_every_group(server, connection, version):
    body = connection.call(FIND_COORDINATOR, version, **(
        {"coordinator_keys": ["a", "b"]} if version >= 4 else {"key": "a"}))
    found = body.coordinators if version >= 4 else [body]
    assert [(one.error_code, one.node_id, one.host, one.port) for one in found] == [
        (0, 1, "127.0.0.1", server.kafka_port)] * (2 if version >= 4 else 1)


@pytest.mark.parametrize("key_type,error", [(1, Error.COORDINATOR_NOT_AVAILABLE), (2, Error.INVALID_REQUEST)])
def test_nobody_coordinates_transactions_and_share_groups(connection, key_type, error):
    for version in FIND_COORDINATOR.versions[1:]:
        body = connection.call(FIND_COORDINATOR, version, key_type=key_type, **(
            {"coordinator_keys": ["a"]} if version >= 4 else {"key": "a"}))
        found = body.coordinators[0] if version >= 4 else body
        assert (found.error_code, found.node_id, found.port) == (error, -1, -1)


def test_unknown_topics_and_partitions(connection, topic):
    assert connection.produce(topic, [b"x"]).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    assert connection.fetch(topic, 0).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    assert connection.list_offset(topic, -1).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
    assert connection.produce(UNKNOWN_ID, [b"x"], version=13).error_code == Error.UNKNOWN_TOPIC_ID
    assert connection.fetch(UNKNOWN_ID, 0, version=13).error_code == Error.UNKNOWN_TOPIC_ID
    connection.create_topic(topic)
    for partition in (1, -1, 1_000_000_000, -(1 << 31)):
        assert connection.produce(topic, [b"x"], partition).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
        assert connection.fetch(topic, 0, partition=partition).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
        assert connection.list_offset(topic, -1, partition).error_code == Error.UNKNOWN_TOPIC_OR_PARTITION


def test_unknown_tags_are_skipped(connection):
    """A newer client may send tags that we do not know: KIP-482 says to skip them."""
    connection.correlation_id += 1
    frame = encode_request(METADATA, 12, connection.correlation_id, {"topics": []})
    header_end = 8 + 2 + len("proof")
    assert frame[header_end] == frame[-1] == 0
    tags = b"\x02\x63\x03abc\x64\x00"
    connection.send_frame(frame[:header_end] + tags + frame[header_end + 1:-1] + tags)
    assert connection.receive(METADATA, 12, connection.correlation_id).topics == []


def test_a_client_may_have_no_name(connection):
    body = schema.encode(METADATA.request, {"topics": []}, 1, False)
    connection.send_frame(b"\x00\x03\x00\x01\x00\x00\x00\x63\xff\xff" + body)
    assert decode_response(METADATA, 1, connection.read_frame())[0] == 0x63
