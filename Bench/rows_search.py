"""The rows about log lines: writing them, space, memory, queries; beside ripgrep and zstd on the raw files.

ripgrep reads the files as they were written, from the page cache, on both cores; zstd is what compressing the lines
costs anybody. Neither keeps an index, and neither has acknowledged anything: they are the limits, not rivals.
"""

import http.client
import json
import os
import resource
import signal
import subprocess
import time
import urllib.parse

import programs
from programs import BenchError
from report import Row
from rows_series import MIB, QUIET_LIMIT_SECONDS, quiet

LINES, LINES_QUICK = 4_370_000, 437_000  # about 1 GB, and a tenth of it
START, SPAN_SECONDS = 1_772_366_400_000_000_000, 21_600  # 2026-03-01, six hours
END = START + SPAN_SECONDS * 10**9 - 1
NEEDLE = "4bf92f3577b34da6a3ce929d0e0e4736"
ALL = '{namespace=~".+"}'
# A head that nobody writes to is written into blocks after some seconds, so that the run need not wait for minutes.
SOON = {"MILLRACE_VIEW_CUT_MS": "5000"}
REPETITIONS = 10


class Loki:
    """A connection to Loki's API that stays open."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=120)

    def ask(self, path, **parameters):
        self.connection.request("GET", f"/loki/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise BenchError(f"{path} {parameters}: {response.status} {body[:300].decode(errors='replace')}")
        return json.loads(body)["data"]["result"]

    def at_end(self, query):
        return self.ask("query", query=query, time=END)

    def over_all(self, query, **parameters):
        return self.ask("query_range", query=query, start=START, end=END + 1, **parameters)


def lines(streams):
    return sum(len(stream["values"]) for stream in streams)


def number(vector):
    return float(vector[0]["value"][1]) if vector else 0.0


def total(matrix):
    return sum(float(value) for _, value in matrix[0]["values"]) if matrix else 0


def by(vector, label):
    return {sample["metric"].get(label, ""): float(sample["value"][1]) for sample in vector}


def queries(facts):
    """Name, how it is asked, whether an answer is right, and the goal in ms of CPU."""
    count, span = f"sum(count_over_time({ALL}", f"[{SPAN_SECONDS}s]))"
    levels = {name: facts["levels"][name] for name in ("debug", "info", "warn", "error")}
    largest = sorted(facts["podBytes"].values(), reverse=True)[:10]
    shop = '{namespace="shop"} | json'
    return [
        ("needle, whole token", lambda loki: loki.over_all(f'{ALL} |= "{NEEDLE}"'),
         lambda found: lines(found) == facts["needles"], 10, NEEDLE),
        ("needle, mid-token", lambda loki: loki.over_all(f'{ALL} |= "{NEEDLE[3:19]}"'),
         lambda found: lines(found) == facts["needles"], 200, NEEDLE[3:19]),
        ("regex, count", lambda loki: loki.at_end(f'{count} |~ "timeout after [0-9]{{5}}ms" {span}'),
         lambda found: number(found) == facts["timeouts"], 250, "timeout after [0-9]{5}ms"),
        ("count by level", lambda loki: loki.at_end(
            f"sum by (detected_level) (count_over_time({ALL}[{SPAN_SECONDS}s]))"),
         lambda found: {**by(found, "detected_level"), **levels} == by(found, "detected_level"), 10, None),
        ("histogram by minute", lambda loki: loki.over_all(f"sum(count_over_time({ALL}[1m]))", step="60s"),
         lambda found: abs(total(found) - facts["lines"]) <= facts["lines"] // 100, 10, None),
        ("one app, last 100", lambda loki: loki.over_all('{app="checkout"}', limit=100),
         lambda found: lines(found) == 100, 10, None),
        ("level=error and a phrase, count", lambda loki: loki.at_end(
            f'{count} | detected_level="error" |= "connection refused" {span}'),
         lambda found: number(found) == facts["refusedErrors"], 30, "error.*connection refused"),
        ("JSON field, count", lambda loki: loki.at_end(f'sum(count_over_time({shop} | status="503" {span}'),
         lambda found: number(found) == facts["status503"], 20, None),
        ("JSON field, p99", lambda loki: loki.at_end(
            f"quantile_over_time(0.99, {shop} | unwrap duration_ms [{SPAN_SECONDS}s]) by (namespace)"),
         lambda found: 100 < number(found) < 400, 120, None),
        ("top 10 pods by bytes", lambda loki: loki.at_end(
            f"topk(10, sum by (pod) (bytes_over_time({ALL}[{SPAN_SECONDS}s])))"),
         lambda found: sorted(by(found, "pod").values(), reverse=True) == largest, 50, None),
    ]


def children_cpu(command, **options):
    """User and system time of a program and its threads, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def query_row(server, loki, raw, name, ask, is_right, limit, searched):
    try:
        found = ask(loki)
        if not is_right(found):
            raise BenchError(f"a wrong answer: {json.dumps(found)[:300]}")
        before, began = server.cpu(), time.perf_counter()
        for _ in range(REPETITIONS):
            ask(loki)
        wall = (time.perf_counter() - began) / REPETITIONS * 1e3
        used = (server.cpu() - before) / REPETITIONS * 1e3
    except (BenchError, OSError, KeyError, IndexError) as error:
        return Row(f"{name}: CPU", "failed", met=False, note=f"{type(error).__name__}: {error}")
    peer = children_cpu(["rg", "-c", searched, raw]) * 1e3 if searched else None
    return Row(f"{name}: CPU", f"{used:.1f} ms", f"rg {peer:.0f} ms" if peer else "", used / peer if peer else None,
               None, f"≤ {limit} ms", used <= limit, f"wall {wall:.1f} ms", {"cpu": used, "wall": wall, "rg": peer})


def push(bench, server, **options):
    """Pushes the set and waits until the server is quiet: the facts, CPU, space, memory."""
    before = server.cpu()
    result = programs.run("log_load", port=server.http_port, lines=bench.size(LINES, LINES_QUICK), **options)
    result["cpuOfWriting"] = server.cpu() - before
    result["peak"] = quiet(server)
    result["cpu"] = server.cpu() - before
    result["stored"] = server.stored_bytes()
    bench.progress("push")(f"{result['lines']:,} lines, {result['cpu']:.1f} CPU-s, {result['seconds']:.1f} s")
    return result


def ingest_row(what, result, zstd, limit):
    gigabytes = result["rawBytes"] / 1e9
    used, peer = result["cpu"] / gigabytes, zstd / gigabytes
    return Row(f"{what}: CPU per raw GB", f"{used:.1f} s", f"zstd -1 {peer:.1f} s", used / peer, None, f"≤ {limit} s",
               used <= limit, f"while writing {result['cpuOfWriting'] / gigabytes:.1f}; {result['seconds']:.1f} s of "
               f"wall time; {result['refused']} pushes refused", result)


def space_row(result, zstd):
    ours, theirs = result["stored"] / result["rawBytes"], zstd / result["rawBytes"]
    return Row("lines: disk / raw", f"{ours:.3f}", f"zstd -1 {theirs:.3f}", ours / theirs, None, "≤ 0.20", ours <= 0.2,
               "blocks with filters and indexes; the log keeps the lines for as long as it is told to")


def compressed(raw):
    """CPU and bytes of zstd -1, file by file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = 0
    for name in os.listdir(raw):
        done = subprocess.run(["zstd", "-1", "-c", os.path.join(raw, name)], check=True, capture_output=True)
        size += len(done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, size


def count_all(server):
    return number(Loki(server).at_end(f"sum(count_over_time({ALL}[{SPAN_SECONDS}s]))"))


def killed(bench):
    """Pushes of the durable class, and kill -9 right behind the last answer."""
    count = bench.size(200_000, 50_000)
    with bench.millrace() as server:
        programs.run("log_load", **{"port": server.http_port, "lines": count, "class": "audit"})
        server.restart(signal.SIGKILL)
        deadline = time.monotonic() + QUIET_LIMIT_SECONDS
        while (found := count_all(server)) < count and time.monotonic() < deadline:
            time.sleep(0.05)
    return Row("acknowledged, then SIGKILL: lost", f"{count - found:.0f} of {count:,}", goal="0", met=found == count)


def search(bench):
    """About 1 GB of lines of 88 streams over six hours, through two connections."""
    raw = os.path.join(bench.directory, "raw-lines")
    os.makedirs(raw, exist_ok=True)
    programs.run("log_load", directory=raw, lines=bench.size(LINES, LINES_QUICK))
    zstd, size = compressed(raw)
    with bench.millrace(environment=SOON) as server:
        result = push(bench, server)
        rows = [
            ingest_row("push", result, zstd, 15),
            space_row(result, size),
            Row("peak resident memory", f"{result['peak'] / MIB:.0f} MB", goal="≤ 300 MB",
                met=result["peak"] <= 300 * MIB),
        ]
        loki = Loki(server)
        rows += [query_row(server, loki, raw, *query) for query in queries(result)]
        server.restart(signal.SIGTERM)
        rows.append(Row("ready after start", f"{server.start_seconds:.2f} s", goal="≤ 0.5 s",
                        met=server.start_seconds <= 0.5, note="with what this run has stored, not with 10 GB"))
    with bench.millrace(environment=SOON) as server:
        rows.insert(1, ingest_row("push, durable class", push(bench, server, **{"class": "audit"}), zstd, 17))
    return rows + [killed(bench)]


ROWS = {"search": search}
