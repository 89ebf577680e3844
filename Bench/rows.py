"""The rows of the table: each measures one thing and returns what it found. See also rows_operation, rows_series and rows_search."""

import concurrent.futures
import statistics
import time

import allocations
import kafka
import programs
import rows_operation
import rows_search
import rows_series
from programs import BenchError
from report import Row, compare, median, paired
from servers import JetStream, Millrace, Peer

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
# Millrace's default for flush.ms: how long what nobody waits for stays unsynced.
FLUSH_MILLISECONDS = 25


class Bench:
    """What every row needs: the binary, where data goes, how long to take."""

    def __init__(self, binary, directory, quick):
        self.binary, self.directory, self.quick = binary, directory, quick
        self.rounds = 3 if quick else 5

    def millrace(self, **options):
        return Millrace(self.binary, self.directory, **options)

    def size(self, full, quick):
        return quick if self.quick else full

    def progress(self, what):
        return lambda text: programs.say(f"  {what}: {text}")


def topic(server, partitions=1):
    """A new topic of the server's; nothing for the peer, which knows no topics."""
    server.topics += 1
    name = f"bench-{server.topics}"
    if isinstance(server, Millrace):
        kafka.create_topic(server.port, name, partitions)
    return name


def cpu_per_gigabyte(result):
    return result["cpu"] / (result["bytes"] / 1e9)


def show_cpu(value):
    return f"{value:.3f} CPU-s/GB"


def batches(size):
    return {"batch_bytes": size, "batch_records": size // KIB}


def produce(bench, label, size, in_flight, goal):
    """Batches of one size, acks=1, four connections with a partition each."""
    what = f"produce {label}, 4 connections, acks=1"
    total = bench.size(2 * GIB, GIB // 2)
    load = {"connections": 4, "in_flight": in_flight, "partitions": 4, "acks": 1, **batches(size)}

    def measure(server):
        name = topic(server, 4)
        server.measure("produce", topic=name, requests=32 * MIB // size * 4, **load)
        result = server.measure("produce", topic=name, requests=total // size, **load)
        if isinstance(server, Millrace):
            kafka.delete_topic(server.port, name)
        return result

    def peer(sync_milliseconds):
        with Peer(bench.directory, sync_ms=sync_milliseconds) as server:
            return measure(server)

    synced = []
    with bench.millrace() as ours:
        def theirs(number):
            if number > 0:
                synced.append(peer(FLUSH_MILLISECONDS))
            return peer(0)

        pairs = paired(bench.rounds, lambda _: measure(ours), theirs, bench.progress(what))
    row = compare(what, pairs, cpu_per_gigabyte, show_cpu, f"≤ {goal} ×", lambda ratio: ratio <= goal)
    speed = [median(side, lambda result: result["bytes"] / result["seconds"] / 1e6) for side in zip(*pairs)]
    ours = median((pair[0] for pair in pairs), cpu_per_gigabyte)
    theirs = median(synced, cpu_per_gigabyte)
    row.note = (f"wall {speed[0]:,.0f} against {speed[1]:,.0f} MB/s; the peer never syncs; with an fdatasync every "
                f"{FLUSH_MILLISECONDS} ms, as Millrace has it, it uses {theirs:.3f} CPU-s/GB: {ours / theirs:.2f} x")
    row.details["peerWithSync"] = synced
    return [row]


def fetch(bench, label, maximum, goal):
    """A hot log of 64 KB batches, four connections with a partition each, one request open per connection."""
    what = f"fetch {label}, hot, 4 connections"
    log = {"partitions": 4, **batches(64 * KIB)}
    per_partition = 64 * MIB
    total = bench.size(8 * GIB, 2 * GIB)
    load = {"connections": 4, "in_flight": 1, "maximum_bytes": maximum, "end_offset": per_partition // KIB, **log}

    def fill(server):
        name = topic(server, 4)
        server.measure("produce", topic=name, acks=-1, requests=4 * per_partition // (64 * KIB), **log)
        server.measure("fetch", topic=name, requests=4 * per_partition // maximum, **load, verify=1)
        return name

    with bench.millrace() as ours, Peer(bench.directory) as peer:
        names = {ours: fill(ours), peer: fill(peer)}
        pairs = paired(
            bench.rounds, lambda _: ours.measure("fetch", topic=names[ours], requests=total // maximum, **load),
            lambda _: peer.measure("fetch", topic=names[peer], requests=total // maximum, **load), bench.progress(what))
    return [
        compare(f"{what}: CPU", pairs, cpu_per_gigabyte, show_cpu, f"≤ {goal} ×", lambda ratio: ratio <= goal),
        compare(f"{what}: throughput", pairs, lambda result: result["bytes"] / result["seconds"] / 1e9,
                lambda value: f"{value:.2f} GB/s", "≥ 0.9 ×", lambda ratio: ratio >= 0.9),
    ]


def probe(bench, **options):
    """Syncs with nothing else going on, on the file system that holds the data."""
    return programs.run("sync_probe", directory=bench.directory, seconds=bench.size(1.5, 0.7), **options)


def durable(bench):
    """acks=all: group commit on one partition, against single syncs beside it, and over many partitions."""
    what = "acks=all, 32 connections, 5 in flight"
    load = {"connections": 32, "in_flight": 5, "acks": -1, "seconds": bench.size(3, 1.5)}
    with bench.millrace(counted=True) as server:
        names = {count: topic(server, count) for count in (1, 100, 1000)}

        def spread(count):
            server.measure("produce", topic=names[count], partitions=count, spread=1, **{**load, "seconds": 0.3})
            before = server.counters()["syncs"]
            result = server.measure("produce", topic=names[count], partitions=count, spread=1, **load)
            result["syncs"] = server.counters()["syncs"] - before
            return result

        def beside():
            """The load on one partition while another process syncs a file of its own: what a sync takes meanwhile."""
            with concurrent.futures.ThreadPoolExecutor(1) as executor:
                probed = executor.submit(probe, bench)
                return spread(1)["latency"]["p99"], probed.result()["sync"]["p99"]

        spread(1000)
        one, thousand, probes, pairs = [], [], [], []
        for number in range(bench.rounds):
            bench.progress(what)(f"round {number + 1} of {bench.rounds}")
            before = probe(bench)["sync"]["p99"]
            one.append(spread(1))
            probes.append((before + probe(bench)["sync"]["p99"]) / 2)
            thousand.append(spread(1000))
            pairs.append(beside())
        hundred = spread(100)
    return durable_rows(what, one, thousand, hundred, probes, pairs)


def durable_rows(what, one, thousand, hundred, probes, beside):
    def rate(result):
        return result["requests"] / result["seconds"]

    acknowledged = median(one, lambda result: result["requests"] / max(result["syncs"], 1))
    slower = [result["latency"]["p99"] / single for result, single in zip(one, probes)]
    loaded = [ours / theirs for ours, theirs in beside]
    pairs = list(zip(thousand, one))
    spread = compare(f"{what}: 1,000 partitions against 1", pairs, rate, lambda value: f"{value:,.0f} req/s", "≥ 0.5 ×",
                     lambda ratio: ratio >= 0.5)
    spread.note = (f"100 partitions: {rate(hundred):,.0f} req/s, {hundred['requests'] / max(hundred['syncs'], 1):.1f} "
                   f"requests per sync; 1,000: {median(thousand, lambda r: r['requests'] / max(r['syncs'], 1)):.1f}, "
                   f"p99 {median(thousand, lambda r: r['latency']['p99']) / 1e6:.2f} ms")
    return [
        Row(f"{what}: requests per fdatasync", f"{acknowledged:.0f}", goal="≥ 64", met=acknowledged >= 64,
            note=f"{median(one, rate):,.0f} req/s, {median(one, lambda r: r['cpu'] / r['requests']) * 1e6:.1f} µs CPU "
            f"each, {median(one, lambda r: r['latency']['p50']) / 1e6:.2f} ms p50", details={"rounds": one}),
        Row(f"{what}: p99 against one fdatasync at the same time", f"{statistics.median(p for p, _ in beside) / 1e6:.3f} ms",
            f"{statistics.median(p for _, p in beside) / 1e6:.3f} ms", statistics.median(loaded),
            (min(loaded), max(loaded)), "≤ 3 ×", statistics.median(loaded) <= 3),
        Row(f"{what}: p99 against one fdatasync on an idle machine", f"{median(one, lambda r: r['latency']['p99']) / 1e6:.3f} ms",
            f"{statistics.median(probes) / 1e6:.3f} ms", statistics.median(slower), (min(slower), max(slower)), "≤ 3 ×",
            statistics.median(slower) <= 3, details={"probeP99Nanoseconds": probes}),
        spread,
    ]


def small(bench):
    """One record of 100 B per request, pipelined, against JetStream's publishes of 100 B."""
    what = "small requests (one 100 B record)"
    load = {"connections": 4, "in_flight": 64, "value_bytes": 100}
    ours_count, theirs_count = bench.size(600_000, 200_000), bench.size(200_000, 80_000)
    with bench.millrace() as ours, JetStream(bench.directory) as theirs:
        name = topic(ours)

        def produced(count, acks):
            return ours.measure("produce", topic=name, requests=count, acks=acks, **load)

        def published(count):
            return theirs.measure(program="nats_load", requests=count, **load)

        produced(50_000, 1)
        published(20_000)
        pairs = paired(bench.rounds, lambda _: produced(ours_count, 1), lambda _: published(theirs_count),
                       bench.progress(what))
        durable_too = produced(ours_count, -1)
    row = compare(f"{what}, acks=1, per CPU second", pairs, lambda result: result["requests"] / result["cpu"],
                  lambda value: f"{value:,.0f}/CPU-s", "≥ 2 ×", lambda ratio: ratio >= 2)
    row.note = (f"JetStream answers before any sync (its sync interval is two minutes), Millrace's acks=1 is synced "
                f"within flush.ms; with acks=all {durable_too['requests'] / durable_too['cpu']:,.0f}/CPU-s")
    row.details["acksAll"] = durable_too
    return [row]


def librdkafka(bench):
    """The same servers under a real client: no goal, but what people will see."""
    messages = bench.size(2_000_000, 500_000)
    load = {"program": "rdkafka_load", "value_bytes": 100}

    def both(what, words, options, fill):
        with bench.millrace() as ours, Peer(bench.directory) as peer:
            names = {ours: topic(ours), peer: topic(peer)}
            for server in (ours, peer):
                fill(server, names[server])
            pairs = paired(bench.rounds - 2, lambda _: ours.measure(words, topic=names[ours], **options),
                           lambda _: peer.measure(words, topic=names[peer], **options), bench.progress(what))
        return compare(what, pairs, lambda result: result["cpu"] / result["requests"] * 1e6,
                       lambda value: f"{value:.3f} CPU-s/M", "", None)

    def fill(server, name):
        server.measure("produce", topic=name, requests=messages // 64, acks=-1, **batches(64 * KIB))

    return [
        both("librdkafka produce 100 B, acks=1", "produce", {"messages": messages, **load}, lambda *_: None),
        both("librdkafka consume 1 KB", "consume", {"messages": messages // 64 * 64, **load}, fill),
    ]


def idle(bench):
    """An empty server: memory when it has settled, and the time from the start to the ready line."""
    starts, resident = [], []
    for number in range(bench.size(12, 6)):
        with bench.millrace() as server:
            starts.append(server.start_seconds * 1e3)
            if number < 3:
                time.sleep(1.5)
                resident.append(server.resident_bytes() / MIB)
    start, memory = statistics.median(starts), max(resident)
    return [
        Row("idle and empty: resident memory", f"{memory:.1f} MB", goal="≤ 60 MB", met=memory <= 60),
        Row("start to listening", f"{start:.0f} ms", goal="≤ 150 ms", met=start <= 150,
            note=f"{min(starts):.0f} to {max(starts):.0f} ms", details={"milliseconds": starts}),
    ]


def heap(bench):
    """Allocations per request in steady state; the gate is allocations.py."""
    found = allocations.measure(bench.binary, bench.directory, bench.progress("allocations"))
    return [Row(f"allocations: {case}", f"{count:.2f}", goal="≤ 10", met=count <= 10) for case, count in found.items()]


ROWS = {
    "produce-64k": lambda bench: produce(bench, "64 KB", 64 * KIB, 8, 1.3),
    "produce-1m": lambda bench: produce(bench, "1 MB", MIB, 2, 1.8),
    "fetch-64k": lambda bench: fetch(bench, "64 KB", 64 * KIB, 1.4),
    "fetch-1m": lambda bench: fetch(bench, "1 MB", MIB, 1.2),
    "durable": durable,
    "small": small,
    "allocations": heap,
    "idle": idle,
    "librdkafka": librdkafka,
    **rows_operation.ROWS,
    **rows_series.ROWS,
    **rows_search.ROWS,
}


def measure(bench, names):
    """Runs the rows. What cannot be measured becomes a row that says so and has missed its goal."""
    rows = []
    for name in names:
        programs.say(name)
        try:
            rows += ROWS[name](bench)
        except (BenchError, kafka.KafkaError, OSError, KeyError, ZeroDivisionError) as error:
            programs.say(f"  failed: {error}")
            rows.append(Row(name, "failed", met=False, note=f"{type(error).__name__}: {error}"))
    return rows
