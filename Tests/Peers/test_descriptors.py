"""A process that has no file descriptor left goes on serving, says what to do, and does not spin."""

import http.client
import os
import re
import resource
import socket
import time
from pathlib import Path

SPARE = 8
OPENED = 40


def cpu_seconds(server):
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def allow(server, count):
    hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (count, hard))


def test_the_soft_limit_is_raised_to_the_hard_one(new_server):
    server = new_server(open_files=(128, 1000))
    assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (1000, 1000)


def test_a_limit_below_the_bounds_is_said_at_the_start(new_server):
    assert "limit of open files" in new_server(open_files=(128, 1000)).log_text()
    enough = new_server(open_files=(128, 5000), flags=["--max-connections", "100"])
    assert "limit of open files" not in enough.log_text()


def test_out_of_descriptors_it_serves_says_so_and_does_not_spin(new_server):
    server = new_server()
    scraper = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)

    def failures(listener):
        scraper.request("GET", "/metrics")
        text = scraper.getresponse().read().decode()
        return int(re.search(rf'^millrace_accept_failures_total{{listener="{listener}"}} (\d+)', text, re.M)[1])

    with server.connect() as connection:
        connection.create_topic("t")
        assert connection.produce("t", [b"before"]).error_code == 0
        assert (failures("kafka"), failures("http")) == (0, 0)
        before = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]
        allow(server, server.descriptors() + SPARE)
        clients = [socket.create_connection(("127.0.0.1", port), 10)
                   for port in [server.kafka_port, server.http_port] * OPENED]
        wait_for(lambda: failures("kafka") > 0 and failures("http") > 0)

        # Ten tries per second and listener, which is nothing; what spins takes a quarter of a core.
        began, spent, tries = time.monotonic(), cpu_seconds(server), failures("kafka")
        time.sleep(3)
        took = time.monotonic() - began
        assert (cpu_seconds(server) - spent) / took < 0.1
        assert 1 <= failures("kafka") - tries <= 15 * took

        # Whoever is connected is served.
        assert connection.produce("t", [b"meanwhile"]).error_code == 0
        lines = [line for line in server.log_text().splitlines() if "cannot be accepted" in line]
        assert any("listener=kafka" in line for line in lines) and any("listener=http" in line for line in lines)
        assert all("LimitNOFILE" in line for line in lines)
        assert len(lines) <= 2 * (time.monotonic() - began + 12)

        # A descriptor that becomes free is used; so is a limit that is raised.
        for client in clients[SPARE:]:
            client.close()
        allow(server, before)
        with server.connect() as late:
            assert [record.value for record in late.read_all("t")] == [b"before", b"meanwhile"]
        assert server.get("/healthz") == "ok\n"
    for client in clients:
        client.close()
    scraper.close()
