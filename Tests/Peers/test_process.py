"""The contract with whoever starts the server from a program: ready line, signals, lock, data, endpoints."""

import os
import re
import socket
import subprocess
import threading
import time
import urllib.error

import pytest

from server import binary
from wire import batch
from wire.connection import Closed
from wire.definitions import PRODUCE, Error


def test_the_ready_line_is_on_stdout_and_in_the_file(new_server):
    server = new_server()
    line = server.ready_file.read_text()
    assert re.fullmatch(r"ready kafka=127\.0\.0\.1:\d+ http=127\.0\.0\.1:\d+ grpc=\S+ version=\S+\n", line), line
    assert line in server.log_text()


def test_settings_come_from_the_environment_too(new_server, tmp_path):
    server = new_server()
    server.stop()
    data, ready = server.directory / "elsewhere", server.directory / "ready"
    environment = {**os.environ, "MILLRACE_DATA": str(data), "MILLRACE_KAFKA_LISTEN": "127.0.0.1:0",
                   "MILLRACE_HTTP_LISTEN": "127.0.0.1:0", "MILLRACE_GRPC_LISTEN": "127.0.0.1:0"}
    process = subprocess.Popen([str(binary()), "serve", "--ready-file", str(ready)], env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (ready.exists() and ready.read_text().endswith("\n")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        assert data.is_dir()
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_the_data_belong_to_one_process(new_server):
    server = new_server()
    second = subprocess.run(
        [str(binary()), "serve", "--data", str(server.data), "--kafka-listen", "127.0.0.1:0", "--http-listen",
         "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert "another process" in second.stdout + second.stderr
    with server.connect() as connection:
        assert connection.metadata().topics == []


def test_a_port_in_use_is_said_so(new_server):
    server = new_server()
    second = subprocess.run(
        [str(binary()), "serve", "--data", str(server.directory / "second"), "--kafka-listen", server.bootstrap,
         "--http-listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
    assert second.returncode != 0
    assert str(server.kafka_port) in second.stdout + second.stderr


def test_a_public_address_needs_a_word(new_server):
    server = new_server()
    server.stop()
    refused = subprocess.run(
        [str(binary()), "serve", "--data", str(server.data), "--kafka-listen", "0.0.0.0:0", "--http-listen",
         "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0
    assert "0.0.0.0" in refused.stdout + refused.stderr


def test_a_stop_finishes_what_was_accepted(new_server):
    """SIGTERM under load: whatever was acknowledged is there after the next start."""
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t", 4)
    acknowledged = [[] for _ in range(4)]

    def load(partition):
        number = 0
        try:
            with server.connect() as connection:
                while True:
                    value = b"%d" % number
                    if connection.produce("t", [value], partition).error_code == 0:
                        acknowledged[partition].append(value)
                    number += 1
        except (OSError, Closed):
            pass

    threads = [threading.Thread(target=load, args=(partition,)) for partition in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    assert server.stop() == 0, server.log_tail()
    assert time.monotonic() - began < 30
    for thread in threads:
        thread.join(30)
    server.start()
    with server.connect() as connection:
        for partition in range(4):
            values = [record.value for record in connection.read_all("t", partition)]
            assert len(acknowledged[partition]) > 0
            assert values[:len(acknowledged[partition])] == acknowledged[partition]
            # At most the one request whose answer did not come any more.
            assert len(values) <= len(acknowledged[partition]) + 1


def test_a_stop_does_not_wait_for_long_polls(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t")
        connection.send_fetch("t", 0, max_wait=120_000)
        time.sleep(0.2)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 20


def test_the_leader_epoch_tells_unclean_starts(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t")
        connection.produce("t", [b"a"])

    def epoch():
        with server.connect() as connection:
            return connection.metadata("t", create=False).topics[0].partitions[0].leader_epoch

    first = epoch()
    server.restart(kill=False)
    assert epoch() == first
    server.restart(kill=True)
    assert epoch() == first + 1
    with server.connect() as connection:
        assert connection.fetch("t", 0, current_leader_epoch=first).error_code == Error.FENCED_LEADER_EPOCH
        connection.produce("t", [b"b"])
        assert [b.leader_epoch for b in batch.decode_all(connection.fetch("t", 0).records)] == [first, first + 1]


def test_topics_configs_and_the_cluster_id_survive(new_server):
    server = new_server()
    with server.connect() as connection:
        made = connection.create_topic("t", 3, max_message_bytes=1000)
        before = connection.metadata("t")
        connection.create_topic("gone")
        connection.delete_topic("gone")
    server.restart(kill=True)
    with server.connect() as connection:
        after = connection.metadata("t", create=False)
        assert after.cluster_id == before.cluster_id
        assert connection.topic_id("t") == made.topic_id
        assert len(after.topics[0].partitions) == 3
        assert connection.produce("t", [b"x" * 2000]).error_code == Error.MESSAGE_TOO_LARGE
        assert connection.metadata_of_all() == ["t"]


def test_a_damaged_tail_is_not_served(new_server):
    """Half a batch at the end of a segment, as a power cut may leave it."""
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t")
        for n in range(10):
            connection.produce("t", [b"%d" % n])
    server.kill()
    segment = sorted((server.data / "log" / "t" / "0").glob("*.log"))[-1]
    data = segment.read_bytes()
    end = len(data.rstrip(b"\0"))
    with open(segment, "r+b") as file:
        file.seek(end)
        file.write(batch.encode([b"half"], base_offset=10)[:40])
    server.start()
    with server.connect() as connection:
        assert [r.value for r in connection.read_all("t")] == [b"%d" % n for n in range(10)]
        assert connection.produce("t", [b"next"]).base_offset == 10
    server.stop()
    status, output = server.check()
    assert status == 0, output


def test_a_start_after_a_kill_is_bounded(new_server, record_property):
    """What a start verifies is what was written since the last checkpoint, not the whole log."""
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("large", 4, segment_bytes=16 << 20)
        connection.create_topic("many", 1000)
        data = batch.encode([b"x" * 100_000] * 10)
        for n in range(120):
            assert connection.produce("large", data, n % 4).error_code == 0
        for n in range(0, 1000, 10):
            connection.send_produce("many", [b"%d" % n], n)
        for n in range(0, 1000, 10):
            assert connection.receive(PRODUCE, 9).responses[0].partition_responses[0].error_code == 0
    took = server.restart(kill=True)
    record_property("seconds from start to ready", took)
    print(f"start to ready with 120 MB in 1,004 partitions: {took:.2f} s")
    assert took < 15
    with server.connect() as connection:
        assert sum(connection.list_offset("large", -1, n).offset for n in range(4)) == 1200
        assert connection.produce("many", [b"again"], 10).base_offset == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_endpoints(shared, path):
    assert shared.get(path)


def test_unknown_paths_are_404(shared):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        shared.get("/no/such/path")


@pytest.mark.parametrize("request_bytes", [
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\xff" * 500,
    b"POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 100_000, b"GET / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n" + bytes(5_000_000),
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
], ids=["traversal", "noise", "method", "many headers", "version", "10 GB body", "negative body"])
def test_bad_http_requests_are_refused(server, request_bytes):
    before = server.resident_bytes()
    with socket.create_connection(("127.0.0.1", server.http_port), 10) as connection:
        try:
            connection.sendall(request_bytes)
            answer = connection.recv(1000)
            assert answer == b"" or re.match(rb"HTTP/1.1 [45]", answer), answer
        except ConnectionError:
            pass
    assert server.get("/healthz")
    assert server.resident_bytes() - before < 50 << 20


def test_metrics_have_types_rates_and_latencies(server, connection, topic):
    connection.create_topic(topic)
    connection.produce(topic, [b"x" * 100] * 10)
    connection.fetch(topic, 0)
    text = server.get("/metrics")
    described = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M))
    names = {re.sub(r"_(bucket|sum|count)$", "", re.split(r"[{ ]", line)[0]) if re.split(r"[{ ]", line)[0] not in
             described else re.split(r"[{ ]", line)[0] for line in text.splitlines() if line and line[0] != "#"}
    assert names <= described, names - described
    assert all(name.startswith("millrace_") or name.startswith("process_") for name in described)
    assert any(f'topic="{topic}"' in line for line in text.splitlines())
    assert any("_bucket{" in line and 'api="Produce"' in line for line in text.splitlines())


def test_the_log_is_structured(server):
    text = server.log_text().strip()
    for line in text.splitlines():
        assert line.startswith(("ready ", "{")) or re.search(r"\b\w+=", line), line
