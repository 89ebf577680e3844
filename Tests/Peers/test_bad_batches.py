"""Record batches that are damaged or lie, and bombs. What is refused leaves no trace; what is stored is readable."""

import random
import time

import pytest

from clients import confluent
from wire import batch
from wire.definitions import PRODUCE, Error

REFUSALS = {Error.CORRUPT_MESSAGE, Error.INVALID_RECORD, Error.INVALID_REQUEST, Error.UNSUPPORTED_FOR_MESSAGE_FORMAT,
            Error.UNSUPPORTED_COMPRESSION, Error.INVALID_TIMESTAMP, Error.MESSAGE_TOO_LARGE}
THREE = [b"one", b"two", b"three"]


@pytest.fixture
def target(connection, topic):
    connection.create_topic(topic)
    assert connection.produce(topic, [b"before"]).base_offset == 0
    return topic


def assert_untouched(connection, target):
    """Nothing of what was refused is in the log, and the next offset is the one it would have got."""
    assert connection.list_offset(target, -1).offset == 1
    assert connection.produce(target, [b"after"]).base_offset == 1
    assert [r.value for r in connection.read_all(target)] == [b"before", b"after"]


def damaged(position, mask=0xFF):
    data = bytearray(batch.encode(THREE))
    data[position] ^= mask
    return bytes(data)


@pytest.mark.parametrize("data,codes", [
    pytest.param(batch.encode(THREE, crc=0), {Error.CORRUPT_MESSAGE}, id="wrong CRC"),
    pytest.param(damaged(-1), {Error.CORRUPT_MESSAGE}, id="last byte flipped"),
    pytest.param(damaged(60), {Error.CORRUPT_MESSAGE}, id="count flipped"),
    pytest.param(batch.encode(THREE, magic=0), REFUSALS, id="magic 0"),
    pytest.param(batch.encode(THREE, magic=1), REFUSALS, id="magic 1"),
    pytest.param(batch.encode(THREE, magic=3), REFUSALS, id="magic 3"),
    pytest.param(batch.encode(THREE, magic=-1), REFUSALS, id="magic -1"),
    pytest.param(batch.encode(THREE, length=48), REFUSALS, id="length below a header"),
    pytest.param(batch.encode(THREE, length=0), REFUSALS, id="length 0"),
    pytest.param(batch.encode(THREE, length=-1), REFUSALS, id="length -1"),
    pytest.param(batch.encode(THREE, length=-(1 << 31)), REFUSALS, id="most negative length"),
    pytest.param(batch.encode(THREE, length=(1 << 31) - 1), REFUSALS, id="length 2 GB"),
    pytest.param(batch.encode(THREE, length=len(batch.encode(THREE)) - 12 + 1), REFUSALS, id="length one too many"),
    pytest.param(batch.encode(THREE, length=len(batch.encode(THREE)) - 12 - 1), REFUSALS, id="length one too few"),
    pytest.param(batch.encode(THREE, count=4), REFUSALS, id="count one too many"),
    pytest.param(batch.encode(THREE, count=2), REFUSALS, id="count one too few"),
    pytest.param(batch.encode(THREE, count=0), REFUSALS, id="count 0"),
    pytest.param(batch.encode(THREE, count=-1), REFUSALS, id="count -1"),
    pytest.param(batch.encode(THREE, count=(1 << 31) - 1), REFUSALS, id="count 2 billion"),
    pytest.param(batch.encode(THREE, count=(1 << 31) - 1, last_offset_delta=(1 << 31) - 2), REFUSALS,
                 id="count and offsets 2 billion"),
    pytest.param(batch.encode(THREE, last_offset_delta=1), REFUSALS, id="offsets one too few"),
    pytest.param(batch.encode(THREE, last_offset_delta=5), REFUSALS, id="offsets too many"),
    pytest.param(batch.encode(THREE, last_offset_delta=-1), REFUSALS, id="offsets negative"),
    pytest.param(batch.encode(THREE, attributes=5), REFUSALS, id="codec 5"),
    pytest.param(batch.encode(THREE, attributes=7), REFUSALS, id="codec 7"),
    pytest.param(batch.encode(THREE, attributes=0x20), REFUSALS, id="control batch"),
    pytest.param(batch.encode(THREE, attributes=0x08), REFUSALS, id="append time from a client"),
    pytest.param(batch.encode([]), REFUSALS, id="no records"),
    pytest.param(b"", REFUSALS, id="no batch"),
    pytest.param(None, REFUSALS, id="null"),
    pytest.param(b"\0", REFUSALS, id="one byte"),
    pytest.param(bytes(60), REFUSALS, id="60 zeros"),
    pytest.param(bytes(61), REFUSALS, id="61 zeros"),
    pytest.param(bytes(5000), REFUSALS, id="5000 zeros"),
    pytest.param(b"\xff" * 5000, REFUSALS, id="5000 ones"),
    pytest.param(batch.encode(THREE)[:-1], REFUSALS, id="last byte missing"),
    pytest.param(batch.encode(THREE)[:61], REFUSALS, id="header alone"),
    pytest.param(batch.encode(THREE) + b"\0", REFUSALS, id="a byte after it"),
    pytest.param(batch.encode(THREE) + batch.encode(THREE, crc=1), REFUSALS, id="good batch, then a bad one"),
])
def test_a_batch_that_lies_is_refused(connection, target, data, codes):
    part = connection.produce(target, data)
    assert part.error_code in codes, part
    assert part.base_offset == -1
    assert_untouched(connection, target)


@pytest.mark.parametrize("data", [
    pytest.param(batch.encode(THREE, count=4, last_offset_delta=3), id="one record missing"),
    pytest.param(batch.encode(THREE, count=2, last_offset_delta=1), id="one record too many"),
    pytest.param(batch.encode(THREE, payload=b"\xff" * 50), id="records of noise"),
])
def test_the_header_is_believed_about_records_that_nobody_decodes(connection, target, data):
    """A producer that lies inside its records hurts who reads them, never the offsets or the batches around."""
    part = connection.produce(target, data)
    if part.error_code:
        assert part.error_code in REFUSALS
        return assert_untouched(connection, target)
    end = 1 + batch.HEADER.unpack(data[:batch.HEADER_BYTES])[-1]
    assert connection.list_offset(target, -1).offset == end
    assert connection.produce(target, [b"after"]).base_offset == end
    stored = batch.decode_all(connection.fetch(target, 1).records)
    assert [(one.base_offset, one.last_offset) for one in stored] == [(1, end - 1), (end, end)]
    assert connection.list_offset(target, int(time.time() * 1000) - 60_000).error_code is not None


def test_a_transactional_batch_is_refused(connection, target):
    producer = connection.init_producer()
    part = connection.produce(target, batch.encode(THREE, attributes=0x10, producer=producer, sequence=0))
    assert part.error_code != 0
    assert_untouched(connection, target)


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_with_a_right_checksum(server, connection, target, seed):
    """The CRC vouches for damage: whatever is stored keeps offsets contiguous and the log readable."""
    rng = random.Random(seed)
    for _ in range(60):
        data = bytearray(batch.encode(THREE))
        for _ in range(rng.randrange(1, 4)):
            position = rng.choice([*range(8, 17), *range(21, len(data))])
            data[position] = rng.randrange(256)
        data[17:21] = batch.crc32c(bytes(data[21:])).to_bytes(4, "big")
        connection.produce(target, bytes(data))
    end = connection.list_offset(target, -1).offset
    offset = 0
    while offset < end:
        for found in batch.decode_all(connection.fetch(target, offset).records):
            assert found.base_offset == offset and found.count == found.last_offset_delta + 1
            offset = found.last_offset + 1
    assert connection.produce(target, [b"after"]).base_offset == end


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_bomb_is_stored_and_served_in_its_small_form(server, connection, target, codec):
    """A record of zeros in far fewer bytes. Nothing on the server unpacks it, for whatever reason."""
    # Snappy makes 1 byte of 21, the others 1 of 250 or more; a batch has at most 1 MB.
    size = 15 << 20 if codec == "snappy" else 80 << 20
    payload = batch.compress(codec, batch.encode_record(batch.Record(bytes(size)), 0, 0))
    data = batch.encode([b"stand-in"], attributes=batch.CODECS[codec], payload=payload)
    assert len(data) < 1 << 20
    before = server.resident_bytes()
    for _ in range(10):
        part = connection.produce(target, data)
        assert part.error_code in REFUSALS | {0}
    connection.list_offset(target, int(time.time() * 1000) - 1000)
    connection.list_offset(target, -3)
    connection.fetch(target, 1)
    assert server.resident_bytes() - before < 50 << 20


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_noise_that_claims_to_be_compressed(server, connection, target, codec):
    """Stored or refused: other consumers and lookups by time must survive it."""
    noise = random.Random(3).randbytes(500)
    part = connection.produce(target, batch.encode(THREE, attributes=batch.CODECS[codec], payload=noise))
    assert part.error_code in REFUSALS | {0}
    answer = connection.list_offset(target, int(time.time() * 1000) - 5)
    assert answer.error_code in (0, Error.CORRUPT_MESSAGE, Error.INVALID_RECORD, Error.STORAGE_ERROR, -1)
    end = connection.list_offset(target, -1).offset
    assert connection.produce(target, [b"after"]).base_offset == end
    assert [r.value for r in connection.read_all(target, start=end)] == [b"after"]


def test_a_batch_larger_than_the_topic_allows(connection, topic):
    connection.create_topic(topic, max_message_bytes=1000)
    assert connection.produce(topic, [b"x" * 1000]).error_code == Error.MESSAGE_TOO_LARGE
    assert connection.produce(topic, [b"x" * 500]).base_offset == 0


def test_a_timestamp_far_in_the_future(connection, target):
    record = batch.Record(b"x", timestamp=int(time.time() * 1000) + 48 * 3_600_000)
    assert connection.produce(target, batch.encode([record])).error_code == Error.INVALID_TIMESTAMP
    assert_untouched(connection, target)


def test_a_bad_batch_does_not_harm_its_neighbours(connection, topic):
    """In one request: another partition's batch is stored, the bad one refused by its own code."""
    connection.create_topic(topic, 3)
    parts = [{"index": 0, "records": batch.encode([b"good"])}, {"index": 1, "records": batch.encode(THREE, crc=5)},
             {"index": 2, "records": batch.encode([b"good"])}]
    body = connection.call(PRODUCE, 9, topic_data=[{"name": topic, "partition_data": parts}])
    assert [p.error_code for p in body.responses[0].partition_responses] == [0, Error.CORRUPT_MESSAGE, 0]
    assert [len(connection.read_all(topic, n)) for n in range(3)] == [1, 0, 1]


def test_a_bad_batch_without_acknowledgement_ends_the_connection(server, connection, target):
    """With acks=0 there is no other way to tell (Kafka does the same)."""
    with server.connect() as other:
        other.send_produce(target, batch.encode(THREE, crc=5), acks=0)
        assert other.is_closed()
    assert_untouched(connection, target)


def test_refused_batches_are_counted(server, connection, target):
    def refused():
        return sum(value for name, value in server.metrics().items()
                   if "millrace_" in name and ("error" in name or "refused" in name or "reject" in name))
    before = refused()
    for _ in range(3):
        connection.produce(target, batch.encode(THREE, crc=5))
    assert refused() >= before + 3


def test_consumers_pass_over_nothing(server, connection, target):
    """After all that was refused above, a real client still reads from the first to the last."""
    for lie in ({"crc": 0}, {"count": 9}, {"magic": 1}):
        connection.produce(target, batch.encode(THREE, **lie))
    connection.produce(target, THREE)
    got = confluent.consume(server.bootstrap, {(target, 0): 0}, 4)
    assert [m.value for m in got] == [b"before", *THREE]
