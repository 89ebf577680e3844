"""The tests' own encoder, judged by others: kafka-python's classes and librdkafka's mock cluster."""

import random
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from kafka.protocol import admin, consumer, metadata, producer
from kafka.record import MemoryRecords, MemoryRecordsBuilder

from wire import batch, definitions, schema
from wire.connection import Connection
from wire.primitives import ProtocolViolation, Reader, crc32c, unsigned_varint, varint

THEIRS = {}
for module in (admin, consumer, metadata, producer):
    THEIRS.update({name: getattr(module, name) for name in dir(module) if name.endswith(("Request", "Response"))})

MESSAGES = [(api, way, version) for api in definitions.ALL for way in ("Request", "Response")
            for version in api.versions]


def sample(fields, version, rng, flexible):
    """A value with every field of `version` filled; tagged ones too."""
    value = {}
    for field in fields:
        if field.exists_in(version):
            value[field.name] = sample_value(field, field.type, version, rng, flexible)
    return value


def sample_value(field, kind, version, rng, flexible):
    if field.null_since <= version and kind == field.type and rng.random() < 0.2:
        return None
    if kind == "bool":
        return rng.random() < 0.5
    if kind.startswith("int"):
        bits = int(kind[3:])
        return rng.randrange(-1 << bits - 1, 1 << bits - 1)
    if kind == "uuid":
        return rng.randbytes(16)
    if kind == "string":
        return "héllo"[:rng.randrange(1, 6)]
    if kind in ("bytes", "records"):
        return rng.randbytes(rng.randrange(1, 200))
    if kind in ("{}", "[]"):
        if kind == "{}":
            return sample(field.fields, version, rng, flexible)
        return [sample(field.fields, version, rng, flexible) for _ in range(rng.randrange(1, 3))]
    return [sample_value(field, kind[2:], version, rng, flexible) for _ in range(rng.randrange(1, 3))]


@pytest.mark.parametrize("api,way,version", MESSAGES, ids=lambda v: str(v))
def test_every_message_is_read_back_equal_by_kafka_python(api, way, version):
    theirs = THEIRS[f"{api.name}{way}"]
    fields = api.request if way == "Request" else api.response
    flexible = api.is_flexible(version)
    rng = random.Random(f"{api}{way}{version}")
    for _ in range(5):
        value = sample(fields, version, rng, flexible)
        if api is definitions.API_VERSIONS and way == "Response":
            value["error_code"] = 0  # With an error the body is always in version 0.
        encoded = schema.encode(fields, value, version, flexible)
        decoded = theirs.decode(encoded, version=version)
        decoded._header = None
        assert bytes(decoded.encode(version=version)) == encoded
        ours = schema.decode(fields, Reader(encoded), version, flexible)
        assert schema.encode(fields, ours, version, flexible) == encoded


def test_checksum_and_varints_match_published_vectors():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert unsigned_varint(300) == b"\xac\x02"
    assert [varint(n) for n in (0, -1, 1, -2, 2147483647)] == [b"\0", b"\1", b"\2", b"\3", b"\xfe\xff\xff\xff\x0f"]
    for number in (0, -1, 63, -64, 64, 1 << 40, -1 << 62):
        assert Reader(varint(number)).varint() == number


@pytest.mark.parametrize("codec", batch.CODECS)
def test_batches_are_read_by_kafka_python_and_the_other_way_round(codec):
    stamps = [1_700_000_000_000, 1_700_000_000_005, 1_699_999_999_999]
    records = [batch.Record(b"value %d" % i, None if i == 1 else b"key", [("h", b"x"), ("n", None)], stamp)
               for i, stamp in enumerate(stamps)]
    theirs = next(iter(MemoryRecords(batch.encode(records, codec, base_offset=7))))
    assert theirs.validate_crc()
    assert [(r.offset, r.timestamp, r.key, r.value, list(r.headers)) for r in theirs] == [
        (7 + i, r.timestamp, r.key, r.value, r.headers) for i, r in enumerate(records)]

    # The next one is large enough for several blocks of Java's snappy framing.
    records.append(batch.Record(bytes(range(256)) * 400, b"large", [], stamps[0]))
    builder = MemoryRecordsBuilder(magic=2, compression_type=batch.CODECS[codec], batch_size=1 << 18)
    for record in records:
        builder.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers)
    builder.close()
    ours = batch.decode_all(bytes(builder.buffer()))
    assert [(r.key, r.value, r.headers, r.timestamp) for r in ours[0].records] == [
        (r.key, r.value, r.headers, r.timestamp) for r in records]


def test_decoding_refuses_what_the_protocol_forbids():
    fields = definitions.INIT_PRODUCER_ID.response
    body = schema.encode(fields, {"producer_id": 5}, 2, True)
    with pytest.raises(ProtocolViolation):
        schema.decode(fields, Reader(body[:-1]), 2, True)
    with pytest.raises(ProtocolViolation, match="unknown tag"):
        schema.decode(fields, Reader(body[:-1] + b"\x01\x07\x00"), 2, True)
    with pytest.raises(ProtocolViolation, match="null"):
        schema.decode(schema.parse("name string 0+"), Reader(b"\xff\xff"), 0, False)
    damaged = bytearray(batch.encode([b"x"]))
    damaged[-1] ^= 1
    with pytest.raises(ProtocolViolation, match="CRC"):
        batch.decode_all(bytes(damaged))


@pytest.fixture(scope="module")
def mock_cluster():
    """A broker that is not ours: librdkafka's own mock."""
    owner = Producer({"test.mock.num.brokers": 1})
    broker = next(iter(owner.list_topics(timeout=10).brokers.values()))
    yield owner, (broker.host, broker.port)


def test_the_connection_speaks_to_the_mock_cluster(mock_cluster):
    _, address = mock_cluster
    with Connection(address) as connection:
        offered = {k.api_key: k.max_version for k in connection.call(definitions.API_VERSIONS, 0).api_keys}
        assert definitions.PRODUCE.key in offered
        connection.metadata("proof", version=4)
        deadline = time.monotonic() + 10
        while (made := connection.produce("proof", [b"one", b"two"], version=7)).error_code != 0:
            assert time.monotonic() < deadline, made
            time.sleep(0.05)
        assert made.base_offset == 0
        got = batch.decode_all(connection.fetch("proof", 0, version=11, max_wait=500).records)
        assert [r.value for b in got for r in b.records] == [b"one", b"two"]


def test_librdkafka_reads_from_the_mock_cluster_what_we_produced(mock_cluster):
    _, (host, port) = mock_cluster
    with Connection((host, port)) as connection:
        connection.metadata("shared", version=4)
        for codec in batch.CODECS:
            assert connection.produce("shared", batch.encode([codec.encode() if codec else b"plain"], codec),
                                      version=7).error_code == 0
    reader = Consumer({"bootstrap.servers": f"{host}:{port}", "group.id": "unused", "enable.auto.commit": False})
    reader.assign([TopicPartition("shared", 0, 0)])
    messages = reader.consume(len(batch.CODECS), timeout=20)
    assert [m.value() for m in messages] == [b"plain", b"gzip", b"snappy", b"lz4", b"zstd"]
    reader.close()
