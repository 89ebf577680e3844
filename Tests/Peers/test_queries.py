"""The operator's side of queries: slow ones in the log, what is counted, every bound and its answer."""

import json
import socket
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from influx import scripts
from influx.fixtures import ours_only
from server import Server, data_directory

pytestmark = ours_only
SERIES, POINTS = 100, 100_000
PATIENCE_SECONDS = 30


def address(server):
    return "127.0.0.1", server.http_port


def query(server, text, **parameters):
    """The first result of an answer."""
    answer = scripts.ask(address(server), "POST", "/query", {"db": "db0", "q": text, "epoch": "ns", **parameters})
    assert answer.status == 200, answer
    return json.loads(answer.body)["results"][0]


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def slow_lines(server):
    lines = [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == "slow query"]


def last_slow_line(server, text):
    """What is logged of a statement."""
    query(server, text)
    eventually(lambda: any(line["statement"] == text for line in slow_lines(server)), f"{text} is not in the log")
    return [line for line in slow_lines(server) if line["statement"] == text][-1]


@pytest.fixture(scope="module")
def data():
    """A data directory with 100,000 points of 100 series in blocks."""
    server = Server(data_directory("queries"), environment={"MILLRACE_VIEW_CUT_MS": "200"})
    server.start()
    scripts.statement(address(server), "CREATE DATABASE db0")
    for start in range(0, POINTS, 10_000):
        lines = b"".join(b"m,t=%d v=%di,w=%di %d\n" % (n % SERIES, n, n * 7919 % 99_991, n * 1_000_000)
                         for n in range(start, start + 10_000))
        assert scripts.ask(address(server), "POST", "/write", {"db": "db0"}, lines).status == 204
    eventually(lambda: list(Path(server.data).glob("views/*/*/blocks/*.block")), "no block was written")
    assert server.stop() == 0
    yield server.data
    server.discard()


@pytest.fixture
def serve(data, new_server):
    """A function that serves the data with some settings."""
    def start(**settings):
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        return new_server(data=data, flags=["--log-format=json", *flags])
    return start


def test_a_slow_query_is_one_line_with_its_plan_and_cost(serve):
    server = serve(query_log_slower_than_ms=0)
    text = "SELECT mean(v) FROM m WHERE t = '7' AND time >= 0 AND time < 50s GROUP BY time(10s)"
    line = last_slow_line(server, text)
    assert (line["level"], line["language"], line["database"], line["outcome"]) == ("notice", "influxql", "db0", "ok")
    assert line["plan"] == ("scan m 1970-01-01T00:00:00Z..1970-01-01T00:00:49.999999999Z where t=? read v; "
                            "every 10s: mean(v) fill null")
    assert int(line["series"]) >= 1 and line["rows"] == "5"
    assert 0 <= int(line["points"]) <= 500
    assert int(line["bytes"]) > 0 and float(line["ms"]) > 0 and float(line["cpu-ms"]) > 0
    assert int(line["blocks"]) + int(line["pages"]) + int(line["pages-summarised"]) >= 1
    assert int(line["parts"]) >= int(line["threads"]) >= 1 and line["waited-ms"] == "0.000"
    assert int(line["peak-bytes"]) > 0


def test_the_log_tells_of_everything_that_was_read(serve):
    server = serve(query_log_slower_than_ms=0)
    line = last_slow_line(server, "SELECT v FROM m")
    assert (line["points"], line["rows"]) == (str(POINTS), str(POINTS))
    # A series counts once in each stretch of time that is read by itself.
    assert int(line["series"]) >= SERIES and int(line["series"]) % SERIES == 0
    assert int(line["peak-bytes"]) > POINTS * 16
    assert server.metric("millrace_query_points_read_total") == POINTS
    assert server.metric("millrace_query_rows_total") == POINTS
    assert server.metric("millrace_query_bytes_read_total") == int(line["bytes"])
    assert server.metric("millrace_query_pages_total", how="read") == int(line["pages"])
    assert server.metric("millrace_query_cpu_seconds_total") > 0


def test_no_secret_is_logged(serve):
    server = serve(query_log_slower_than_ms=0, log_level="trace")
    query(server, "CREATE USER joe WITH PASSWORD 'hush-1'")
    query(server, "SET PASSWORD FOR joe = 'hush-2'")
    query(server, "SELECT v FROM m WHERE t = $t AND t =~ $p", params='{"t": "hush-3", "p": {"regex": "hush-4"}}')
    eventually(lambda: len(slow_lines(server)) == 3, "three statements are slow")
    assert [line["statement"] for line in slow_lines(server)] == [
        "CREATE USER", "SET PASSWORD", "SELECT v FROM m WHERE t = '$t' AND t =~ /$p/"]
    assert "hush" not in server.log_text()


def test_a_flood_of_slow_queries_is_few_lines(serve):
    server = serve(query_log_slower_than_ms=0)
    began = time.monotonic()
    for _ in range(100):
        query(server, "SHOW DATABASES")
    seconds = time.monotonic() - began
    assert server.metric("millrace_queries_slow_total") == 100
    lines = len(slow_lines(server))
    assert 5 <= lines <= 5 * (int(seconds) + 2)
    time.sleep(1.1)
    line = last_slow_line(server, "SHOW MEASUREMENTS")
    assert lines + sum(int(line["suppressed"]) for line in slow_lines(server)) == 100
    assert int(line["suppressed"]) > 0


def test_fast_queries_are_not_logged_and_all_are_counted(serve):
    server = serve(query_log_slower_than_ms=60_000)
    query(server, "SELECT count(v) FROM m")
    assert "error" in query(server, "SELECT v FROM nowhere..m")
    assert scripts.ask(address(server), "GET", "/query", {"q": "SELEC"}).status == 400
    counted = {outcome: server.metric("millrace_queries_total", outcome=outcome, language="influxql")
               for outcome in ("ok", "failed", "invalid", "limited", "cancelled")}
    assert counted == {"ok": 1, "failed": 1, "invalid": 1, "limited": 0, "cancelled": 0}
    assert server.metric("millrace_query_seconds_count") == 2
    assert server.metric("millrace_queries_slow_total") == 0
    assert not slow_lines(server)
    assert server.metric("millrace_queries_running") == 0 and server.metric("millrace_query_memory_bytes") == 0


BOUNDS = [
    ("time", {"query_timeout_ms": 1}, "SELECT v, w FROM m", "query-timeout limit exceeded"),
    ("series", {"query_max_series": 10}, "SELECT v FROM m", "max-select-series limit exceeded: ("),
    ("points", {"query_max_points": 5_000}, "SELECT v FROM m", "max-select-point limit exceeed: ("),
    ("scanned-bytes", {"query_max_scanned_bytes": 10_000}, "SELECT v, w FROM m",
     "max-select-bytes limit exceeded: ("),
    ("windows", {"query_max_windows": 100}, "SELECT mean(v) FROM m GROUP BY time(1ms)",
     "max-select-buckets limit exceeded: ("),
    ("rows", {"query_max_rows": 50}, "SELECT v FROM m", "max-row-limit exceeded: ("),
    ("show-rows", {"query_max_show_rows": 50}, "SHOW SERIES", "max-show-rows limit exceeded: ("),
    ("memory", {"query_memory_bytes": 1 << 20}, "SELECT v FROM m", "query memory limit exceeded: ("),
    ("total-memory", {"query_total_memory_bytes": 1 << 20}, "SELECT v FROM m",
     "memory limit of all queries exceeded: ("),
]


@pytest.mark.parametrize("bound, settings, text, error", BOUNDS, ids=[bound[0] for bound in BOUNDS])
def test_each_bound_has_its_answer(serve, bound, settings, text, error):
    server = serve(query_log_slower_than_ms=0, **settings)
    result = query(server, text)
    assert result["error"].startswith(error), result["error"]
    line = last_slow_line(server, text)
    assert (line["outcome"], line["bound"], line["error"][:20]) == ("limited", bound, result["error"][:20])
    assert server.metric("millrace_query_bounds_reached_total", bound=bound) == 2
    assert server.metric("millrace_queries_total", outcome="limited") == 2
    # It serves on, and has given everything back.
    assert "series" in query(server, "SELECT v FROM m WHERE t = '7' LIMIT 1") or bound == "time"
    assert server.metric("millrace_query_memory_bytes") == 0


def test_a_text_that_is_too_long_is_refused(serve):
    server = serve(query_max_text_bytes=2_000)
    text = "SELECT v FROM m WHERE t = '" + "x" * 2_000 + "'"
    answer = scripts.ask(address(server), "POST", "/query", {"db": "db0", "q": text})
    assert answer.status == 400
    assert json.loads(answer.body) == {"error": "error parsing query: the text is longer than 2000 bytes"}


def test_one_request_more_than_may_run_is_refused_and_a_client_that_goes_makes_room(serve):
    server = serve(max_queries=1, query_log_slower_than_ms=0)
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    held.connect(address(server))
    columns = ", ".join(["v", "w"] * 8)
    path = "/query?" + urllib.parse.urlencode({"db": "db0", "q": f"SELECT {columns} FROM m", "chunked": "true"})
    held.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    eventually(lambda: server.metric("millrace_queries_running", language="influxql") == 1, "nothing runs")
    eventually(lambda: server.metric("millrace_query_memory_bytes") > 0, "nothing is kept")
    assert query(server, "SHOW DATABASES") == {
        "statement_id": 0, "error": "max-concurrent-queries limit exceeded(2, 1)"}
    assert server.metric("millrace_query_bounds_reached_total", bound="queries") == 1
    # Until it waits for its reader.
    time.sleep(0.5)
    held.close()
    eventually(lambda: server.metric("millrace_queries_total", outcome="cancelled") == 1, "the query still runs")
    assert "series" in query(server, "SHOW DATABASES")
    cancelled = [line for line in slow_lines(server) if line["outcome"] == "cancelled"]
    assert len(cancelled) == 1 and float(cancelled[0]["waited-ms"]) > 0


def test_the_answer_to_a_slow_get_is_whole(serve):
    """The first bytes come after some hundred milliseconds; until then the server watches whether the client goes."""
    server = serve()
    # As many statements as take so long on this machine.
    for count in (60, 240, 960):
        text = "SELECT stddev(v) FROM m;" * count + "SELECT v, w FROM m"
        answer = urllib.request.urlopen(f"http://127.0.0.1:{server.http_port}/query?"
                                        + urllib.parse.urlencode({"db": "db0", "q": text, "epoch": "ns"}), timeout=60)
        results = json.loads(answer.read())["results"]
        if answer.headers["Connection"] == "close":
            break
    assert answer.headers["Connection"] == "close", "it came too fast to be watched"
    assert len(results) == count + 1 and len(results[-1]["series"][0]["values"]) == POINTS
