"""What every client did, one line per event: the only thing that the judge sees.

A line is the time in monotonic milliseconds (for people: all processes of a machine share that clock), the kind's name,
then its fields, separated by tabs. Values stand for records: `name:number` if the
record's bytes are what that producer made for that number, else `damaged:` and a digest.
"""

import hashlib
import time
from typing import NamedTuple


class Producer(NamedTuple):
    """A producer and what it may rely on. `ordered`: records of a partition keep the order of their sends."""

    name: str
    idempotent: bool
    ordered: bool


class Send(NamedTuple):
    producer: str
    topic: str
    partition: int
    value: str


class Ack(NamedTuple):
    """The broker's promise. `offset` is -1 if the client was not told."""

    producer: str
    topic: str
    partition: int
    value: str
    offset: int


class Seek(NamedTuple):
    """A reader begins at `offset`: from here on it must see every offset, one after the other."""

    reader: str
    topic: str
    partition: int
    offset: int


class Poll(NamedTuple):
    reader: str
    topic: str
    partition: int
    offset: int
    value: str


class Final(NamedTuple):
    """One record of the last reading, from the first offset to the end, after the last restart."""

    topic: str
    partition: int
    offset: int
    value: str


class Fatal(NamedTuple):
    """A client that ought to have gone on gave up."""

    client: str
    reason: str


class Created(NamedTuple):
    topic: str


class Deleting(NamedTuple):
    topic: str


class Deleted(NamedTuple):
    topic: str


class Listed(NamedTuple):
    """A topic that exists in the end."""

    topic: str


KINDS = {kind.__name__: kind for kind in (
    Producer, Send, Ack, Seek, Poll, Final, Fatal, Created, Deleting, Deleted, Listed)}


def make_value(name, number):
    """The bytes of record `number` of producer `name`: 20 to 250 bytes that nobody else makes."""
    head = f"{name}:{number}:"
    digest = hashlib.blake2b(head.encode(), digest_size=16).hexdigest()
    return (head + digest * (1 + number % 7)).encode()


def name_value(data):
    """What the journal calls these bytes."""
    name, _, rest = (data or b"").decode(errors="replace").partition(":")
    number = rest.partition(":")[0]
    if number.isdigit() and make_value(name, int(number)) == data:
        return f"{name}:{number}"
    return "damaged:" + hashlib.blake2b(data or b"", digest_size=8).hexdigest()


def write(file, event):
    line = [f"{time.monotonic() * 1000:.0f}", type(event).__name__, *map(str, event)]
    file.write("\t".join(line).replace("\n", " ") + "\n")


def read(path):
    """The events of a journal. A last line without its end was cut off with its process, and is left out."""
    with open(path) as file:
        for line in file:
            if not line.endswith("\n"):
                return
            _, name, *fields = line[:-1].split("\t")
            kind = KINDS[name]
            kinds = kind.__annotations__.values()
            yield kind(*(field == "True" if k is bool else k(field) for k, field in zip(kinds, fields, strict=True)))
