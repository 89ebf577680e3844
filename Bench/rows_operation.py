"""The rows about the log in use: many partitions, many connections, consumer groups."""

import contextlib
import resource
import select
import signal
import socket
import statistics
import struct
import time

import kafka
import members
from report import Row, compare, median, paired

MIB = 1 << 20
# Descriptors of this process for a row with 2,000 connections.
DESCRIPTORS = 4_096


def create_topic(server, partitions):
    server.topics += 1
    name = f"bench-{server.topics}"
    kafka.create_topic(server.port, name, partitions)
    return name


def partitions(bench):
    """10,000 partitions with records in each: starts, and memory."""
    what = "10,000 partitions"
    starts = {signal.SIGTERM: [], signal.SIGKILL: []}
    resident = []
    with bench.millrace() as server:
        names = [create_topic(server, 1_000) for _ in range(10)]

        def write_everywhere():
            for name in names:
                server.measure("produce", topic=name, partitions=1_000, spread=1, connections=10, in_flight=5, acks=-1,
                               requests=bench.size(40_000, 10_000))
            resident.append(server.resident_bytes() / MIB)

        for number in range(bench.size(5, 2)):
            for how, found in starts.items():
                bench.progress(what)(f"round {number + 1}, {how.name}")
                write_everywhere()
                server.restart(how)
                found.append(server.start_seconds)
                resident.append(server.resident_bytes() / MIB)
    clean, killed = (statistics.median(starts[how]) for how in starts)
    note = "each written to since the last start"
    return [
        Row(f"{what}: start after a clean stop", f"{clean:.3f} s", goal="≤ 2 s", met=clean <= 2, note=note),
        Row(f"{what}: start after kill -9", f"{killed:.3f} s", goal="≤ 10 s", met=killed <= 10, note=note),
        Row(f"{what}: resident memory", f"{max(resident):.1f} MB", goal="≤ 300 MB", met=max(resident) <= 300,
            note="the most seen, after writing to all and after each start", details={"megabytes": resident}),
    ]


def fetch_frame(topic, partition, offset):
    """Fetch 4 of one partition; waits 500 ms if nothing is there."""
    asked = kafka.array([kafka.string(topic) + kafka.array([struct.pack(">iqi", partition, offset, MIB)])])
    return kafka.frame(1, 4, struct.pack(">iiiib", -1, 500, 1, MIB, 0) + asked)


def open_client(server, topic):
    """A connection that has asked what every client asks first."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    for request in (kafka.frame(18, 0, b""), kafka.frame(3, 1, kafka.array([kafka.string(topic)]))):
        connection.sendall(request)
        kafka.response(connection)
    return connection


def poll(server, waiting, seconds):
    """Each connection asks again as soon as it is answered. Returns the answers and the most memory seen."""
    answers, most, deadline = 0, 0, time.monotonic() + seconds
    with contextlib.closing(select.epoll()) as watched:
        for descriptor in waiting:
            watched.register(descriptor, select.EPOLLIN)
        while time.monotonic() < deadline:
            most = max(most, server.resident_bytes())
            for descriptor, _ in watched.poll(0.1):
                connection, request = waiting[descriptor]
                kafka.response(connection)
                connection.sendall(request)
                answers += 1
    return answers, most


def connections(bench):
    """1,000 connections that are idle and 1,000 that poll, after the requests with which clients begin."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    seconds = bench.size(10, 4)
    with bench.millrace() as server, contextlib.ExitStack() as stack:
        topic = create_topic(server, 1_000)
        server.measure("produce", topic=topic, partitions=1_000, spread=1, acks=-1, requests=4_000)
        idle = [stack.enter_context(open_client(server, topic)) for _ in range(1_000)]
        polling = [stack.enter_context(open_client(server, topic)) for _ in range(1_000)]
        waiting = {}
        for number, connection in enumerate(polling):
            connection.sendall(fetch_frame(topic, number, 0))
            kafka.response(connection)
            # Each partition has four records.
            request = fetch_frame(topic, number, 4)
            connection.sendall(request)
            waiting[connection.fileno()] = (connection, request)
        began = server.cpu()
        answers, most = poll(server, waiting, seconds)
        used = server.cpu() - began
    assert len(idle) == 1_000
    return [Row("1,000 idle and 1,000 polling connections: resident memory", f"{most / MIB:.1f} MB", goal="≤ 120 MB",
                met=most <= 120 * MIB, note=f"{answers / seconds:,.0f} polls/s, {used / seconds * 100:.1f} % of a core")]


def rebalance(bench):
    """100 members over 1,000 partitions: one leaves, one comes."""
    interval = 0.1
    left, came = [], []
    with bench.millrace() as server:
        topic = create_topic(server, 1_000)
        for number in range(bench.size(5, 2)):
            bench.progress("rebalance")(f"group {number + 1}")
            times = members.rebalance(server.port, topic, 1_000, 100, interval, f"bench-{number}")
            left.append(times[0])
            came.append(times[1])
    worst = max(statistics.median(left), statistics.median(came))
    return [Row("rebalance of 100 members, 1,000 partitions", f"{worst:.3f} s", goal="≤ 1 s", met=worst <= 1,
                note=f"until all have their partitions after one has left {statistics.median(left):.3f} s, has come "
                f"{statistics.median(came):.3f} s; that contains waiting for the next heartbeat, every {interval} s",
                details={"left": left, "came": came})]


def commits(bench):
    """Offset commits, each synced before it is answered: 32 committers with one in flight each."""
    with bench.millrace(counted=True) as server:
        topic = create_topic(server, 32)
        kafka.find_coordinator(server.port, "bench")
        load = {"topic": topic, "partitions": 32, "connections": 32, "in_flight": 1}
        server.measure("commit", seconds=0.3, **load)
        found = []
        for _ in range(bench.rounds):
            before = server.counters()["syncs"]
            found.append(server.measure("commit", seconds=bench.size(3, 1.5), **load))
            found[-1]["syncs"] = server.counters()["syncs"] - before
    rate = median(found, lambda result: result["requests"] / result["seconds"])
    each = median(found, lambda result: result["cpu"] / result["requests"]) * 1e6
    return [Row("offset commits, 32 committers, synced", f"{rate:,.0f}/s", goal="≥ 10,000/s", met=rate >= 10_000,
                note=f"{each:.1f} µs CPU each, {median(found, lambda r: r['requests'] / max(r['syncs'], 1)):.1f} per sync, "
                f"{median(found, lambda r: r['latency']['p99']) / 1e6:.2f} ms p99", details={"rounds": found})]


def group(bench):
    """librdkafka reads a hot log by assignment, and as a member that commits."""
    what = "consume through a group against by assignment, 1 KB, librdkafka"
    requests = bench.size(64_000, 32_000)
    with bench.millrace() as server:
        topic = create_topic(server, 4)
        kafka.find_coordinator(server.port, "bench")
        server.measure("produce", topic=topic, partitions=4, acks=-1, batch_bytes=65_536, batch_records=64,
                       requests=requests)
        load = {"program": "rdkafka_load", "topic": topic, "partitions": 4, "messages": requests * 64,
                "value_bytes": 1_024}
        pairs = paired(bench.rounds, lambda number: server.measure("consume", group=f"bench-{number}", **load),
                       lambda _: server.measure("consume", **load), bench.progress(what))
    return [compare(f"{what}: CPU", pairs, lambda result: result["cpu"] / (result["bytes"] / 1e9),
                    lambda value: f"{value:.3f} CPU-s/GB", "≤ 1.1 ×", lambda ratio: ratio <= 1.1)]


ROWS = {
    "partitions": partitions,
    "connections": connections,
    "rebalance": rebalance,
    "commits": commits,
    "group": group,
}
