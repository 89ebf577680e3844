"""Slow syncs, failing syncs and failing writes, in the real binary, by a small library preloaded into it.

The simulation knows many more faults; this proves that the promises reach the socket.
"""

import shutil
import subprocess
import threading
import time

import pytest

from server import REPOSITORY
from wire import batch
from wire.definitions import CREATE_TOPICS, Error

SOURCE = REPOSITORY / "Tests" / "Peers" / "faults" / "faults.c"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("clang") or shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    built = tmp_path_factory.mktemp("faults") / "faults.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", str(built), str(SOURCE)], check=True)
    return built


class Faults:
    """A server with the library in it, and the switches."""

    def __init__(self, new_server, library, directory):
        self.directory = directory
        self.server = new_server(environment={"LD_PRELOAD": str(library), "MILLRACE_FAULTS": str(directory)})
        with self.server.connect() as connection:
            connection.create_topic("t", 2, flush_ms=20)

    def set(self, name, value):
        (self.directory / name).write_text(str(value))

    def clear(self):
        for path in self.directory.iterdir():
            path.unlink()


@pytest.fixture
def faults(new_server, library, tmp_path):
    return Faults(new_server, library, tmp_path)


def test_acks_all_waits_for_the_sync_and_acks_1_does_not(faults):
    with faults.server.connect() as connection:
        connection.produce("t", [b"first"])
        faults.set("delay", 700)
        began = time.monotonic()
        assert connection.produce("t", [b"all"], acks=-1).error_code == 0
        assert time.monotonic() - began >= 0.69
        began = time.monotonic()
        assert connection.produce("t", [b"one"], acks=1).error_code == 0
        assert time.monotonic() - began < 0.5
        # Nobody reads what is not synced, whoever acknowledged it.
        part = connection.fetch("t", 2)
        assert (part.error_code, part.high_watermark, part.records or b"") == (0, 2, b"")
        part = connection.fetch("t", 2, max_wait=10_000)
        assert [r.value for b in batch.decode_all(part.records) for r in b.records] == [b"one"]
        assert time.monotonic() - began >= 0.69


def test_many_writers_share_a_sync(faults):
    """Group commit: forty connections and two partitions, in the time of a few syncs."""
    count = 40
    connections = [faults.server.connect() for _ in range(count)]
    faults.set("delay", 400)
    began = time.monotonic()
    for n, connection in enumerate(connections):
        connection.send_produce("t", [b"%d" % n], n % 2)
    for connection in connections:
        assert connection.receive_produce().error_code == 0
    assert time.monotonic() - began < 0.4 * 8
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("fault", ["sync", "write"])
def test_a_failing_disk_refuses_one_partition_until_the_restart(faults, fault):
    server = faults.server
    with server.connect() as connection:
        producer = connection.init_producer()
        send = lambda sequence: connection.produce(
            "t", batch.encode([b"%d" % sequence], producer=producer, sequence=sequence))
        assert send(0).error_code == 0
        connection.produce("t", [b"other"], 1)
        faults.set(fault, "/t/0/")
        assert send(1).error_code == Error.STORAGE_ERROR
        assert send(1).error_code == Error.STORAGE_ERROR
        # What was acknowledged is served, what failed is not; the other partition goes on.
        part = connection.fetch("t", 0)
        assert [r.value for b in batch.decode_all(part.records) for r in b.records] == [b"0"]
        assert part.high_watermark == 1
        assert connection.produce("t", [b"goes on"], 1).error_code == 0
        # The kernel may have dropped the pages of a failed sync: its next success would prove nothing.
        faults.clear()
        if fault == "sync":
            assert send(1).error_code == Error.STORAGE_ERROR
        assert "t-0" in server.log_text()
        assert server.metric("millrace_kafka_errors_total", api="Produce", error="KAFKA_STORAGE_ERROR") >= 2
    server.restart(kill=True)
    with server.connect() as connection:
        assert send(1).error_code == 0
        assert send(2).error_code == 0
        assert [r.value for r in connection.read_all("t")] == [b"0", b"1", b"2"]
        assert [r.value for r in connection.read_all("t", 1)] == [b"other", b"goes on"]


def test_producers_that_wait_for_a_sync_that_fails_are_all_told(faults):
    server = faults.server
    connections = [server.connect() for _ in range(20)]
    faults.set("delay", 300)
    faults.set("sync", "/t/0/")
    for n, connection in enumerate(connections):
        connection.send_produce("t", [b"%d" % n])
    codes = [connection.receive_produce().error_code for connection in connections]
    assert codes == [Error.STORAGE_ERROR] * 20
    with server.connect() as connection:
        assert connection.fetch("t", 0).high_watermark == 0


def test_a_topic_is_not_half_created_when_its_sync_fails(faults):
    """Creating fails or succeeds; in both cases metadata and the next start agree with the answer."""
    server = faults.server
    faults.set("sync", "meta.db")
    with server.connect() as connection:
        wanted = [{"name": "half", "num_partitions": 2, "replication_factor": 1}]
        created = connection.call(CREATE_TOPICS, 7, topics=wanted).topics[0].error_code
        faults.clear()
        there = "half" in connection.metadata_of_all()
        assert there == (created == 0)
    server.restart(kill=True)
    with server.connect() as connection:
        if created == 0:
            assert "half" in connection.metadata_of_all()
        connection.metadata("half")
        assert connection.produce("half", [b"x"]).error_code == 0


def test_a_stop_while_syncs_are_slow_loses_nothing(faults):
    server = faults.server
    connections = [server.connect() for _ in range(8)]
    faults.set("delay", 1000)
    for n, connection in enumerate(connections):
        connection.send_produce("t", [b"%d" % n], n % 2)
    answers = []

    def read():
        for connection in connections:
            try:
                answers.append(connection.receive_produce())
            except Exception:
                pass

    thread = threading.Thread(target=read)
    thread.start()
    deadline = time.monotonic() + 20
    while server.metric("millrace_kafka_requests_total", api="Produce") < 8:
        assert time.monotonic() < deadline
    assert server.stop() == 0
    thread.join()
    # What was accepted before the signal is finished and answered.
    assert [answer.error_code for answer in answers] == [0] * 8
    faults.clear()
    server.start()
    with server.connect() as connection:
        assert len(connection.read_all("t", 0)) + len(connection.read_all("t", 1)) == 8
