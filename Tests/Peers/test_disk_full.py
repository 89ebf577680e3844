"""A disk that is really full: a small ext4 in a file. Refuse with what clients retry, serve reads, lose nothing."""

import os
import subprocess
import threading
import time
import urllib.error

import pytest

from clients import Message, Options, confluent
from server import Server, data_directory
from wire import batch
from wire.definitions import CREATE_TOPICS, Error

DISK_BYTES = 96 << 20
VALUE = b"v" * 60_000


@pytest.fixture(scope="module")
def mounting():
    """A function that makes a small disk; skips where mounting is not allowed."""
    directory = data_directory("disk")
    mounted = []

    def mount():
        image, place = directory / f"image-{len(mounted)}", directory / f"disk-{len(mounted)}"
        place.mkdir()
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        if os.geteuid() != 0:
            pytest.skip("mounting a small disk needs root")
        for command in (["mkfs.ext4", "-q", "-F", "-m", "0", image], ["mount", "-o", "loop", image, place]):
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
            if done.returncode:
                pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=False)
    subprocess.run(["rm", "-rf", str(directory)], check=False)


class SmallDisk:
    """A server whose disk has room for a few megabytes, and a filler to take away."""

    def __init__(self, place, room, reserve=0):
        self.filler = place / "filler"
        flags = ["--disk-reserve-bytes", str(reserve)]
        self.server = Server(data_directory("full"), data=place / "data", flags=flags)
        self.server.start()
        with self.server.connect() as connection:
            for topic in ("t", "other"):
                connection.create_topic(topic, 2)
        self.acknowledged = []
        free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
        with open(self.filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - room)

    def produce(self, connection):
        """The error code of one more record; acknowledged ones are remembered by their offset."""
        value = b"%d:" % len(self.acknowledged) + VALUE
        made = connection.produce("t", [value])
        if made.error_code == 0:
            assert made.base_offset == len(self.acknowledged), "what was refused took an offset"
            self.acknowledged.append(value)
        return made.error_code

    def fill(self, connection):
        for _ in range(2 * DISK_BYTES // len(VALUE)):
            code = self.produce(connection)
            if code:
                return code
        raise AssertionError("the disk never became full")

    def make_room(self):
        self.filler.unlink()

    def assert_intact(self):
        with self.server.connect() as connection:
            values = [record.value for record in connection.read_all("t")]
        assert values == self.acknowledged


@pytest.fixture
def small_disk(mounting):
    disk = SmallDisk(mounting(), 5 << 20)
    yield disk
    disk.server.discard()


def test_the_reserve_stops_writes_before_the_disk_is_full(mounting):
    """Below the reserve writes are refused; deleting a topic makes room, and writes go on by themselves."""
    place = mounting()
    disk = SmallDisk(place, 40 << 20, reserve=20 << 20)
    server = disk.server
    try:
        with server.connect() as connection:
            codes = []
            deadline = time.monotonic() + 20
            while not any(codes[-1:]) and time.monotonic() < deadline:
                codes.append(disk.produce(connection))
                time.sleep(0.01)
            assert codes[-1] == Error.STORAGE_ERROR
            free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
            assert free > 5 << 20, "the reserve was used up"
            assert server.metrics()["millrace_disk_refusing_writes"] == 1
            assert "the disk is full" in server.log_text()
            disk.assert_intact()
            # Topics can still be created and deleted, and what a delete frees lets writes go on.
            assert connection.produce("other", [b"no"]).error_code == Error.STORAGE_ERROR
            connection.delete_topic("t")
            while connection.produce("other", [b"yes"]).error_code:
                assert time.monotonic() < deadline + 20, "writes do not go on although there is room"
                time.sleep(0.1)
            assert server.metrics()["millrace_disk_refusing_writes"] == 0
    finally:
        server.discard()


def test_a_full_disk_refuses_writes_serves_reads_and_recovers(small_disk):
    server = small_disk.server
    with server.connect() as connection:
        # Retriable: clients wait and try again until there is room.
        assert small_disk.fill(connection) == Error.STORAGE_ERROR
        small_disk.assert_intact()
        for _ in range(20):
            small_disk.produce(connection)
        assert connection.metadata("t").topics[0].error_code == 0
        assert connection.list_offset("t", -1).offset == len(small_disk.acknowledged)
        # Another topic can be refused or created, not half of each.
        wanted = {"name": "late", "num_partitions": 3, "replication_factor": 1}
        created = connection.call(CREATE_TOPICS, 7, topics=[wanted]).topics[0].error_code
        there = connection.metadata("late", create=False).topics[0]
        assert (created == 0) == (there.error_code == 0)
    assert server.is_alive
    assert any(word in server.log_text().lower() for word in ("no space", "enospc", "nospace"))
    samples = server.metrics()
    assert any("error" in name and value > 0 for name, value in samples.items() if name.startswith("millrace_"))

    small_disk.make_room()
    deadline = time.monotonic() + 30
    with server.connect() as connection:
        while small_disk.produce(connection) and time.monotonic() < deadline:
            time.sleep(0.1)
        for _ in range(20):
            assert small_disk.produce(connection) == 0
    small_disk.assert_intact()
    server.restart(kill=True)
    small_disk.assert_intact()
    assert server.stop() == 0
    status, output = server.check()
    assert status == 0, output


def test_a_kill_on_a_full_disk_loses_nothing_and_the_start_serves_reads(small_disk):
    server = small_disk.server
    with server.connect() as connection:
        small_disk.fill(connection)
    for kill in (True, False, True):
        try:
            server.restart(kill=kill)
        except RuntimeError:
            # To refuse to start is honest too, if it says why; with room it must go on.
            assert any(word in server.log_text().lower() for word in ("no space", "enospc", "nospace"))
            small_disk.make_room()
            server.start()
            break
        small_disk.assert_intact()
    if small_disk.filler.exists():
        small_disk.make_room()
    deadline = time.monotonic() + 30
    with server.connect() as connection:
        while small_disk.produce(connection):
            assert time.monotonic() < deadline, "no write succeeded although there is room"
            time.sleep(0.1)
    small_disk.assert_intact()


def test_librdkafka_waits_for_room(small_disk):
    """An idempotent producer retries through the full disk: everything arrives once, in order."""
    server = small_disk.server
    with server.connect() as connection:
        small_disk.fill(connection)
    sent = [Message(b"%d:" % n + VALUE) for n in range(60)]
    timer = threading.Timer(1.5, small_disk.make_room)
    timer.start()
    more = {"retry.backoff.ms": 50, "retries": 1_000_000}
    confluent.produce(server.bootstrap, "other", sent, Options(idempotent=True, more=more))
    timer.join()
    with server.connect() as connection:
        assert [record.value for record in connection.read_all("other")] == [m.value for m in sent]
    small_disk.assert_intact()


def test_the_health_endpoints_answer_on_a_full_disk(small_disk):
    server = small_disk.server
    with server.connect() as connection:
        small_disk.fill(connection)
    assert server.get("/healthz")
    try:
        server.get("/readyz")
    except urllib.error.HTTPError as error:
        assert error.code == 503
    assert batch.decode_all(server.connect().fetch("t", 0).records)
