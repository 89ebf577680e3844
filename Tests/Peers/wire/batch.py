"""Record batches, format 2: honest ones, and ones that lie about anything in their header.

    base offset 8 | length 4 | leader epoch 4 | magic 1 | CRC32C 4 | attributes 2 | last offset delta 4 |
    first timestamp 8 | max timestamp 8 | producer id 8 | producer epoch 2 | base sequence 4 | count 4 | records
"""

import gzip
import struct
import time
from dataclasses import dataclass, field

from .primitives import ProtocolViolation, Reader, crc32c, varint

HEADER = struct.Struct(">qiibIhiqqqhii")
HEADER_BYTES = HEADER.size  # 61
XERIAL_MAGIC = b"\x82SNAPPY\0"
CODECS = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


@dataclass
class Record:
    value: bytes | None
    key: bytes | None = None
    headers: list = field(default_factory=list)
    timestamp: int | None = None
    offset: int | None = None


def _sized(content):
    return varint(-1) if content is None else varint(len(content)) + content


def encode_record(record, offset_delta, timestamp_delta):
    body = b"\0" + varint(timestamp_delta) + varint(offset_delta) + _sized(record.key) + _sized(record.value)
    body += varint(len(record.headers))
    for name, value in record.headers:
        body += _sized(name.encode()) + _sized(value)
    return varint(len(body)) + body


def compress(codec, data):
    if codec == "gzip":
        return gzip.compress(data)
    if codec == "snappy":
        import cramjam
        return bytes(cramjam.snappy.compress_raw(data))
    if codec == "lz4":
        import lz4.frame
        return lz4.frame.compress(data)
    if codec == "zstd":
        import zstandard
        return zstandard.compress(data)
    return data


def decompress_snappy(data):
    """Bare snappy, or the frames of Java's snappy library: magic, two versions, then blocks with their lengths."""
    import cramjam
    if not data.startswith(XERIAL_MAGIC):
        return bytes(cramjam.snappy.decompress_raw(data))
    reader, out = Reader(data[len(XERIAL_MAGIC) + 8:]), b""
    while reader.remaining:
        out += bytes(cramjam.snappy.decompress_raw(reader.take(reader.integer(4))))
    return out


def decompress(attributes, data):
    codec = attributes & 7
    if codec == 1:
        return gzip.decompress(data)
    if codec == 2:
        return decompress_snappy(data)
    if codec == 3:
        import lz4.frame
        return lz4.frame.decompress(data)
    if codec == 4:
        import zstandard
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def encode(records, codec=None, base_offset=0, producer=(-1, -1), sequence=-1, payload=None, **lies):
    """A batch of `records` (Record or bytes).

    Keyword arguments named like header fields override what would be true: length, leader_epoch, magic, crc,
    attributes, last_offset_delta, first_timestamp, max_timestamp, count. The CRC is right unless it is given.
    `payload` replaces the encoded records.
    """
    records = [r if isinstance(r, Record) else Record(r) for r in records]
    now = int(time.time() * 1000)
    stamps = [now if r.timestamp is None else r.timestamp for r in records]
    first = stamps[0] if stamps else now
    if payload is None:
        payload = b"".join(encode_record(r, i, stamps[i] - first) for i, r in enumerate(records))
        payload = compress(codec, payload)
    after_crc = struct.pack(
        ">hiqqqhii", lies.get("attributes", CODECS[codec]), lies.get("last_offset_delta", len(records) - 1),
        lies.get("first_timestamp", first), lies.get("max_timestamp", max(stamps, default=now)),
        *producer, sequence, lies.get("count", len(records)))
    after_crc += payload
    crc = lies.get("crc", crc32c(after_crc))
    return struct.pack(
        ">qiibI", base_offset, lies.get("length", len(after_crc) + 9), lies.get("leader_epoch", -1),
        lies.get("magic", 2), crc) + after_crc


@dataclass
class Batch:
    base_offset: int
    length: int
    leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    first_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int
    payload: bytes

    @property
    def last_offset(self):
        return self.base_offset + self.last_offset_delta

    @property
    def records(self):
        reader = Reader(decompress(self.attributes, self.payload))
        return [self._record(reader) for _ in range(self.count)]

    def _record(self, reader):
        body = Reader(reader.take(reader.varint()))
        body.take(1)
        stamp, delta = self.first_timestamp + body.varint(), body.varint()
        key, value = (None if (n := body.varint()) < 0 else body.take(n) for _ in range(2))
        headers = []
        for _ in range(body.varint()):
            name = body.take(body.varint()).decode()
            headers.append((name, None if (n := body.varint()) < 0 else body.take(n)))
        if body.remaining:
            raise ProtocolViolation("a record longer than its fields")
        if self.attributes & 8:
            stamp = self.max_timestamp
        return Record(value, key, headers, stamp, self.base_offset + delta)


def decode_all(data, check_crc=True):
    """The whole batches in `data`; a partial one at the end is a violation (none is ever served)."""
    reader, batches = Reader(data or b""), []
    while reader.remaining:
        fields = HEADER.unpack(reader.take(HEADER_BYTES))
        batch = Batch(*fields, payload=reader.take(fields[1] - (HEADER_BYTES - 12)))
        if check_crc:
            start = reader.position - batch.length + 9
            if crc32c(reader.data[start:reader.position]) != batch.crc:
                raise ProtocolViolation(f"wrong CRC at offset {batch.base_offset}")
        batches.append(batch)
    return batches
