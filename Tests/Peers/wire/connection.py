"""One TCP connection that speaks frames: four bytes of length, then a request or a response."""

import socket
import struct

from . import batch, schema
from .definitions import (API_VERSIONS, CREATE_TOPICS, DELETE_TOPICS, FETCH, INIT_PRODUCER_ID, LIST_OFFSETS, METADATA,
                          PRODUCE)
from .primitives import ProtocolViolation, Reader, int16, int32


class Closed(Exception):
    """The peer closed the connection."""


def encode_request(api, version, correlation_id, fields, client_id="proof"):
    """A request's bytes without the length in front."""
    flexible = api.is_flexible(version)
    name = client_id.encode()
    header = struct.pack(">hhi", api.key, version, correlation_id) + int16(len(name)) + name
    return header + (b"\0" if flexible else b"") + schema.encode(api.request, fields, version, flexible)


def decode_response(api, version, data):
    """(correlation id, body); every byte must be accounted for."""
    reader, flexible = Reader(data), api.is_flexible(version)
    correlation_id = reader.integer(4)
    if flexible and api is not API_VERSIONS and reader.unsigned_varint() != 0:
        raise ProtocolViolation("tags in a response header")
    body = schema.decode(api.response, reader, version, flexible)
    if reader.remaining:
        raise ProtocolViolation(f"{reader.remaining} bytes after the {api} v{version} response")
    return correlation_id, body


class Connection:
    """Calls in lockstep (`call`), or sends and reads apart for pipelining and for bad manners."""

    def __init__(self, address, timeout=20):
        self.address = address
        self.socket = socket.create_connection(address, timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.correlation_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Vanish without a goodbye: an RST instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send_frame(self, data):
        self.send_bytes(int32(len(data)) + data)

    def send(self, api, version, **fields):
        """Sends one request and returns its correlation id."""
        self.correlation_id += 1
        self.send_frame(encode_request(api, version, self.correlation_id, fields))
        return self.correlation_id

    def _read_exactly(self, count):
        chunks, missing = [], count
        while missing:
            try:
                chunk = self.socket.recv(min(missing, 1 << 20))
            except ConnectionError as error:
                raise Closed(str(error)) from error
            if not chunk:
                raise Closed(f"{count - missing} of {count} bytes read")
            chunks.append(chunk)
            missing -= len(chunk)
        return b"".join(chunks)

    def read_frame(self):
        length = struct.unpack(">i", self._read_exactly(4))[0]
        if length < 4:
            raise ProtocolViolation(f"a frame of {length} bytes")
        return self._read_exactly(length)

    def receive(self, api, version, correlation_id=None):
        answered, body = decode_response(api, version, self.read_frame())
        if correlation_id is not None and answered != correlation_id:
            raise ProtocolViolation(f"answered {answered} instead of {correlation_id}")
        return body

    def call(self, api, version, **fields):
        return self.receive(api, version, self.send(api, version, **fields))

    def is_closed(self, timeout=10):
        """Whether the peer closes within `timeout` seconds; whatever it sends before is thrown away."""
        self.socket.settimeout(timeout)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    # The everyday calls. Versions are the newest ones that name topics by name.

    def metadata(self, *topics, create=True, version=8):
        names = [{"name": name} for name in topics]
        return self.call(METADATA, version, topics=names, allow_auto_topic_creation=create)

    def metadata_of_all(self):
        """The names of all topics."""
        return [topic.name for topic in self.call(METADATA, 8, topics=None).topics]

    def topic_id(self, topic):
        found = self.metadata(topic, create=False, version=12).topics[0]
        assert found.error_code == 0, found
        return found.topic_id

    def create_topic(self, name, partitions=1, **configs):
        entries = [{"name": key.replace("_", "."), "value": str(value)} for key, value in configs.items()]
        topic = {"name": name, "num_partitions": partitions, "replication_factor": 1, "configs": entries}
        created = self.call(CREATE_TOPICS, 7, topics=[topic], timeout_ms=30000).topics[0]
        assert created.error_code == 0, created
        return created

    def delete_topic(self, name):
        return self.call(DELETE_TOPICS, 5, topic_names=[name]).responses[0].error_code

    def init_producer(self):
        body = self.call(INIT_PRODUCER_ID, 4, transaction_timeout_ms=60000)
        assert body.error_code == 0, body
        return body.producer_id, body.producer_epoch

    def produce(self, topic, records, partition=0, acks=-1, version=9):
        """The partition's response; `records` is a list for an honest batch, or bytes as they are."""
        self.send_produce(topic, records, partition, acks, version)
        return self.receive_produce(version)

    def send_produce(self, topic, records, partition=0, acks=-1, version=9):
        data = records if isinstance(records, bytes) or records is None else batch.encode(records)
        part = {"index": partition, "records": data}
        name = {"topic_id": topic} if version >= 13 else {"name": topic}
        return self.send(PRODUCE, version, acks=acks, topic_data=[{**name, "partition_data": [part]}])

    def receive_produce(self, version=9):
        return self.receive(PRODUCE, version, self.correlation_id).responses[0].partition_responses[0]

    def send_fetch(self, topic, offset, partition=0, max_wait=0, min_bytes=1, version=12, maximum=1 << 20, **fields):
        part = {"partition": partition, "fetch_offset": offset, "partition_max_bytes": maximum, **fields}
        name = {"topic_id": topic} if version >= 13 else {"topic": topic}
        return self.send(FETCH, version, max_wait_ms=max_wait, min_bytes=min_bytes,
                         topics=[{**name, "partitions": [part]}])

    def fetch(self, topic, offset, version=12, **options):
        """The partition's response."""
        return self.receive(FETCH, version, self.send_fetch(topic, offset, version=version, **options)) \
            .responses[0].partitions[0]

    def list_offset(self, topic, timestamp, partition=0, version=7):
        part = {"partition_index": partition, "timestamp": timestamp}
        body = self.call(LIST_OFFSETS, version, topics=[{"name": topic, "partitions": [part]}])
        return body.topics[0].partitions[0]

    def read_all(self, topic, partition=0, start=0):
        """Every record below the high watermark, in order."""
        records, offset = [], start
        while True:
            part = self.fetch(topic, offset, partition=partition)
            assert part.error_code == 0, part
            batches = batch.decode_all(part.records)
            records += [r for b in batches for r in b.records if r.offset >= offset]
            if batches:
                offset = batches[-1].last_offset + 1
            if offset >= part.high_watermark or not batches:
                return records
