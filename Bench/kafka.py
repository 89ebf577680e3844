"""The few requests that the bench itself makes over a plain socket: CreateTopics 4, DeleteTopics 3, FindCoordinator 0."""

import socket
import struct
import time

TOPIC_ALREADY_EXISTS = 36


class KafkaError(Exception):
    pass


def string(text):
    return struct.pack(">h", len(text)) + text.encode()


def blob(data):
    return struct.pack(">i", len(data)) + data


def array(items):
    return struct.pack(">i", len(items)) + b"".join(items)


def frame(key, version, body):
    header = struct.pack(">hhi", key, version, 1) + string("bench")
    return blob(header + body)


def receive(connection, count):
    received = b""
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise KafkaError("the server closed the connection")
        received += part
    return received


def response(connection):
    """The next response, from its correlation id on."""
    return receive(connection, struct.unpack(">i", receive(connection, 4))[0])


def ask(port, key, version, body, timeout):
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(frame(key, version, body))
        return response(connection)


def ask_for_topic(port, key, version, body):
    """Sends one request and returns the error code of the only topic in the response."""
    response = ask(port, key, version, body, 90)
    # correlation id, throttle time, one topic: its name, its error code
    name_length = struct.unpack_from(">h", response, 12)[0]
    return struct.unpack_from(">h", response, 14 + name_length)[0]


def create_topic(port, name, partitions=1, configs=None):
    configs = configs or {}
    body = struct.pack(">i", 1) + string(name) + struct.pack(">ihi", partitions, 1, 0)
    body += struct.pack(">i", len(configs)) + b"".join(string(k) + string(v) for k, v in configs.items())
    body += struct.pack(">ib", 60000, 0)
    code = ask_for_topic(port, 19, 4, body)
    if code not in (0, TOPIC_ALREADY_EXISTS):
        raise KafkaError(f"CreateTopics {name}: error code {code}")


def delete_topic(port, name):
    body = struct.pack(">i", 1) + string(name) + struct.pack(">i", 60000)
    code = ask_for_topic(port, 20, 3, body)
    if code != 0:
        raise KafkaError(f"DeleteTopics {name}: error code {code}")


def find_coordinator(port, group, timeout=30):
    """Waits until the group's coordinator can be asked."""
    deadline = time.monotonic() + timeout
    while struct.unpack_from(">h", ask(port, 10, 0, string(group), timeout), 4)[0] != 0:
        if time.monotonic() > deadline:
            raise KafkaError(f"no coordinator for {group} within {timeout} s")
        time.sleep(0.05)
