"""The two admin requests that the bench needs: CreateTopics 4 and DeleteTopics 3, over a plain socket."""

import socket
import struct

TOPIC_ALREADY_EXISTS = 36


class KafkaError(Exception):
    pass


def _string(text):
    return struct.pack(">h", len(text)) + text.encode()


def _receive(connection, count):
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise KafkaError("the server closed the connection")
        received += part
    return received


def _ask(port, key, version, body, timeout):
    """Sends one request and returns the error code of the only topic in the response."""
    header = struct.pack(">hhi", key, version, 1) + _string("bench")
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
        size = struct.unpack(">i", _receive(connection, 4))[0]
        response = _receive(connection, size)
    # correlation id, throttle time, one topic: its name, its error code
    name_length = struct.unpack_from(">h", response, 12)[0]
    return struct.unpack_from(">h", response, 14 + name_length)[0]


def create_topic(port, name, partitions=1, configs=None):
    configs = configs or {}
    body = struct.pack(">i", 1) + _string(name) + struct.pack(">ihi", partitions, 1, 0)
    body += struct.pack(">i", len(configs)) + b"".join(_string(k) + _string(v) for k, v in configs.items())
    body += struct.pack(">ib", 60000, 0)
    code = _ask(port, 19, 4, body, 90)
    if code not in (0, TOPIC_ALREADY_EXISTS):
        raise KafkaError(f"CreateTopics {name}: error code {code}")


def delete_topic(port, name):
    body = struct.pack(">i", 1) + _string(name) + struct.pack(">i", 60000)
    code = _ask(port, 20, 3, body, 90)
    if code != 0:
        raise KafkaError(f"DeleteTopics {name}: error code {code}")
