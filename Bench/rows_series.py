"""The rows about time series, beside InfluxDB: writing, space on the disk, queries, restarts, memory."""

import random
import signal
import statistics
import time

import influx
import programs
from programs import BenchError
from report import Row

MIB = 1 << 20
DATABASE = "bench"
HOSTS, STEP_SECONDS, START_SECONDS = 100, 10, 1451606400  # 2016-01-01, as TSBS has it
EVENTS, EVENTS_SECONDS = 1_000_000, 86_400
# Quiet: so many seconds in a row with less CPU than this.
QUIET_SECONDS, QUIET_CPU_SECONDS, QUIET_LIMIT_SECONDS = 8, 0.03, 300
# A head that nobody writes to is flushed after some seconds, in both, so that the run need not wait for minutes.
SOON = {"MILLRACE_VIEW_CUT_MS": "5000", "MILLRACE_MAX_VALUES_PER_TAG": "0"}
CPU_FIELDS = ["usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait", "usage_irq", "usage_softirq",
              "usage_steal", "usage_guest", "usage_guest_nice"]


def quiet(server):
    """Waits until flushes and compactions are over; returns the most memory that the process ever had."""
    deadline, calm, before = time.monotonic() + QUIET_LIMIT_SECONDS, 0, server.cpu()
    while calm < QUIET_SECONDS and time.monotonic() < deadline:
        time.sleep(1)
        after = server.cpu()
        calm = calm + 1 if after - before < QUIET_CPU_SECONDS else 0
        before = after
    return server.resident_peak_bytes()


def write(bench, server, **options):
    """Writes a set and waits until the server is quiet: what the generator saw, CPU, space, memory."""
    influx.create(server, DATABASE)
    before = server.cpu()
    result = influx.load(server, DATABASE, clients=4, batch=5000, **options)
    result["cpuOfWriting"] = result["cpu"]
    result["peak"] = quiet(server)
    result["cpu"] = server.cpu() - before
    result["stored"] = server.stored_bytes()
    bench.progress(server.name)(f"{result['lines']:,} lines, {result['cpu']:.1f} CPU-s, {result['seconds']:.1f} s")
    return result


def beside(what, ours, theirs, show, goal, limit, note=""):
    """A row of one figure of both, with a goal for ours alone."""
    return Row(what, show(ours), show(theirs), ours / theirs if theirs else None, None, goal, ours <= limit, note,
               {"millrace": ours, "peer": theirs})


def per_million(result):
    return result["cpu"] / result["values"] * 1e6


def ingest_row(what, ours, theirs, limit):
    note = (f"while writing {ours['cpuOfWriting'] / ours['values'] * 1e6:.3f} and "
            f"{theirs['cpuOfWriting'] / theirs['values'] * 1e6:.3f}; wall {ours['seconds']:.1f} and "
            f"{theirs['seconds']:.1f} s; {ours['refused']} and {theirs['refused']} requests refused with 503")
    return beside(f"{what}: CPU", per_million(ours), per_million(theirs), lambda value: f"{value:.3f} CPU-s/M values",
                  f"≤ {limit}", limit, note)


def cpu_points(bench):
    return HOSTS * bench.size(86_400, 21_600) // STEP_SECONDS


def cpu(bench):
    """TSBS's cpu-only with integers: writing, space, and TSBS's queries."""
    points = cpu_points(bench)
    with bench.millrace(environment=SOON) as ours, influx.InfluxDB(bench.directory) as theirs:
        written = [write(bench, server, set="cpu", points=points, hosts=HOSTS) for server in (ours, theirs)]
        rows = [ingest_row(f"write cpu-only, {points * 10 / 1e6:.2f} M values", *written, 0.25),
                space_row("disk: integers", written, 0.40)]
        return rows + [query_row(bench, ours, theirs, name, make, None)
                       for name, make in tsbs_queries(points // HOSTS * STEP_SECONDS)]


def space_row(what, written, limit):
    sizes = [result["stored"] / result["values"] for result in written]
    return beside(what, *sizes, lambda value: f"{value:.3f} B/value", f"≤ {limit}", limit,
                  "blocks alone; the log keeps the lines for as long as it is told to")


def floats(bench):
    """The same with two-decimal floats: space."""
    points = cpu_points(bench)
    with bench.millrace(environment=SOON) as ours, influx.InfluxDB(bench.directory) as theirs:
        written = [write(bench, server, set="cpu-float", points=points, hosts=HOSTS) for server in (ours, theirs)]
    return [space_row("disk: two-decimal floats", written, 1.30)]


def tsbs_queries(seconds):
    """Name, and a function that makes the text of one query from a random generator."""

    def span(generator, hours):
        start = START_SECONDS + generator.randrange(max(seconds - hours * 3600, 1))
        return f"time >= {start}s and time < {start + hours * 3600}s"

    def hosts(generator, count):
        return "(" + " or ".join(f"hostname = 'host_{n}'" for n in generator.sample(range(HOSTS), count)) + ")"

    def calls(function, count):
        return ", ".join(f"{function}({field})" for field in CPU_FIELDS[:count])

    def grouped(fields, count, hours):
        return lambda generator: (f"SELECT {calls('max', fields)} FROM cpu WHERE {hosts(generator, count)} AND "
                                  f"{span(generator, hours)} GROUP BY time(1m)")

    def doubly(fields):
        return lambda generator: (f"SELECT {calls('mean', fields)} FROM cpu WHERE {span(generator, 12)} "
                                  "GROUP BY time(1h), hostname")

    return [
        ("single-groupby-1-1-1", grouped(1, 1, 1)),
        ("single-groupby-5-8-1", grouped(5, 8, 1)),
        ("double-groupby-1", doubly(1)),
        ("double-groupby-all", doubly(10)),
        ("high-cpu-1", lambda generator: f"SELECT * FROM cpu WHERE usage_user > 90.0 AND {hosts(generator, 1)} AND "
         f"{span(generator, 12)}"),
        ("cpu-max-all-8", lambda generator: f"SELECT {calls('max', 10)} FROM cpu WHERE {hosts(generator, 8)} AND "
         f"{span(generator, 8)} GROUP BY time(1h)"),
        ("groupby-orderby-limit", lambda generator: "SELECT max(usage_user) FROM cpu WHERE time < "
         f"{START_SECONDS + generator.randrange(seconds // 2, seconds)}s GROUP BY time(1m) LIMIT 5"),
        ("lastpoint", lambda generator: 'SELECT * FROM cpu GROUP BY "hostname" ORDER BY time DESC LIMIT 1'),
    ]


def timed(server, texts):
    """Median time of the queries in ms, and the server's CPU per query in ms."""
    client = influx.Client(server.http_port, DATABASE)
    before = server.cpu()
    times = [client.ask(text)[1] for text in texts]
    used = (server.cpu() - before) / len(texts)
    client.close()
    return {"p50": statistics.median(times) * 1e3, "cpu": used * 1e3, "times": times}


def agree(ours, theirs, texts):
    """Both must answer the same; a wrong answer has no speed. The first time warms both up."""
    clients = [influx.Client(server.http_port, DATABASE) for server in (ours, theirs)]
    for text in texts:
        answers = [client.ask(text)[0] for client in clients]
        if not influx.same(*answers):
            raise BenchError(f"different answers to {text}: {answers[0][:300]} … {answers[1][:300]}")
    for client in clients:
        client.close()


def query_row(bench, ours, theirs, name, make, limit, count=None):
    """One kind of query; without a limit in ms the goal is InfluxDB's time of the same run."""
    generator = random.Random(name)
    texts = [make(generator) for _ in range(count or bench.size(40, 10))]
    bench.progress("query")(name)
    try:
        agree(ours, theirs, texts)
        mine, other = timed(ours, texts), timed(theirs, texts if limit is None else texts[:3])
    except (BenchError, OSError) as error:
        return Row(f"query {name}: p50", "failed", met=False, note=f"{type(error).__name__}: {error}")
    note = f"CPU per query {mine['cpu']:.2f} and {other['cpu']:.2f} ms: {mine['cpu'] / max(other['cpu'], 1e-6):.2f} x"
    thirds = "groupby" in name
    met = mine["p50"] <= (limit or other["p50"]) and not (thirds and mine["cpu"] > other["cpu"] / 3)
    goal = f"≤ {limit} ms" if limit else "≤ 1 ×" + (", CPU ≤ 1/3" if thirds else "")
    return Row(f"query {name}: p50", f"{mine['p50']:.2f} ms", f"{other['p50']:.2f} ms", mine["p50"] / other["p50"],
               None, goal, met, note, {"millrace": mine, "peer": other})


def events_queries(sample):
    """`sample` is the id of a point that exists."""
    return [
        ("count by level", "SELECT count(status) FROM events GROUP BY level"),
        ("p95 by service", 'SELECT percentile("duration", 95) FROM events GROUP BY service'),
        ("regex on a message", r"SELECT count(message) FROM events WHERE message =~ /reset by peer 10\.0\.3\./"),
        ("field = id", f"SELECT * FROM events WHERE id = '{sample}'"),
        ("raw errors LIMIT 100", "SELECT * FROM events WHERE level = 'error' LIMIT 100"),
    ]


def ask_until(server, text, expected, began):
    """Asks until the answer is the expected one; seconds since `began`."""
    while time.monotonic() < began + QUIET_LIMIT_SECONDS:
        try:
            client = influx.Client(server.http_port, DATABASE)
            body, _ = client.ask(text)
            client.close()
            if influx.same(body, expected):
                return time.monotonic() - began
        except (BenchError, OSError):
            pass
        time.sleep(0.01)
    raise BenchError(f"{server.name} does not answer {text} as before the restart")


def first_point(options):
    """A series and an id of the set, as the generator makes them."""
    line = programs.run_text("line_load", print=1, **options).split("\n")[0]
    tags = dict(part.split("=") for part in line.split(" ")[0].split(",")[1:])
    return tags["pod"], line.split('id="')[1].split('"')[0]


def write_and_restart(bench, server, options, probe):
    """Writes the events, kills the server before it has flushed, and starts it again; then waits until it is quiet."""
    influx.create(server, DATABASE)
    before = server.cpu()
    result = influx.load(server, DATABASE, clients=4, batch=5000, **options)
    result["cpuOfWriting"] = result["cpu"]
    client = influx.Client(server.http_port, DATABASE)
    expected, _ = client.ask(probe)
    client.close()
    result["cpu"], peak = server.cpu() - before, server.resident_peak_bytes()
    server.end(signal.SIGKILL)
    began = time.monotonic()
    server.start()
    result["restart"] = ask_until(server, probe, expected, began)
    result["peak"] = max(peak, quiet(server))
    result["cpu"] += server.cpu()
    result["stored"] = server.stored_bytes()
    bench.progress(server.name)(f"{result['cpu']:.1f} CPU-s, {result['peak'] / MIB:.0f} MB, restart {result['restart']:.2f} s")
    return result


def events(bench):
    """Irregular events of many short series: writing, space, memory, a restart after kill -9, queries."""
    points = bench.size(EVENTS, EVENTS // 5)
    options = {"set": "events", "points": points, "step": EVENTS_SECONDS * 10**9 // points}
    pod, identifier = first_point(options)
    probe = f"SELECT id FROM events WHERE pod = '{pod}'"
    with bench.millrace(environment=SOON) as ours, influx.InfluxDB(bench.directory) as theirs:
        mine, other = (write_and_restart(bench, server, options, probe) for server in (ours, theirs))
        rows = [
            ingest_row(f"write {points:,} events", mine, other, 1.5),
            beside("events: disk", mine["stored"] / points, other["stored"] / points,
                   lambda value: f"{value:.1f} B/event", "≤ 30", 30),
            beside("events: peak resident memory", mine["peak"] / MIB, other["peak"] / MIB,
                   lambda value: f"{value:.0f} MB", "≤ 500 MB", 500),
            beside("events: start after kill -9, head not flushed", mine["restart"], other["restart"],
                   lambda value: f"{value:.2f} s", "≤ 2 s", 2, "until the first answer that is right"),
        ]
        return rows + [query_row(bench, ours, theirs, name, lambda _, text=text: text, 200, bench.size(10, 5))
                       for name, text in events_queries(identifier)]


def memory(bench):
    """A million series of one point each, not flushed: what a series costs."""
    points = bench.size(1_000_000, 200_000)
    calm = {"MILLRACE_VIEW_CUT_BYTES": str(1 << 30), "MILLRACE_MAX_VALUES_PER_TAG": "0",
            "MILLRACE_MAX_SERIES_PER_DATABASE": "2000000"}
    found = []
    for start in (lambda: bench.millrace(environment=calm), lambda: influx.InfluxDB(bench.directory, "10m")):
        with start() as server:
            influx.create(server, DATABASE)
            before = server.resident_bytes()
            influx.load(server, DATABASE, points=points, set="series")
            server.rest()
            found.append((server.resident_bytes() - before) / points)
    return [beside(f"{points:,} series in the head: memory", *found, lambda value: f"{value:.0f} B/series", "≤ 400 B",
                   400, "resident memory of the process, the points and the log's caches included")]


ROWS = {"series-cpu": cpu, "series-floats": floats, "series-events": events, "series-memory": memory}
