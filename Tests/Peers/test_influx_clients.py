"""The stock clients: Debian's `influx` shell, influxdb-python, influxdb-client, and what Telegraf sends."""

import datetime
import gzip
import http.client
import json
import os
import pty
import shutil
import subprocess

import influxdb
import influxdb_client
import pytest
from influxdb_client.client.write_api import SYNCHRONOUS

from influx import scripts
from influx.fixtures import address, database, original, ours_only  # noqa: F401 (fixtures)

SHELL = shutil.which("influx")
shell_only = pytest.mark.skipif(SHELL is None, reason="influxdb-client is not installed")


def shell(address, *words):  # noqa: F811
    """Runs the shell and returns what it prints; it must end well and complain about nothing."""
    command = [SHELL, "-host", address[0], "-port", str(address[1]), *words]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def execute(address, database, text, form="csv"):  # noqa: F811
    return shell(address, "-database", database, "-precision", "ns", "-format", form, "-execute", text)


def typed(address, *lines):  # noqa: F811
    """What the shell shows on a terminal when somebody types these lines."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen([SHELL, "-host", address[0], "-port", str(address[1])], stdin=terminal, stdout=terminal,
                               stderr=terminal, env={**os.environ, "TERM": "dumb", "HOME": "/nonexistent"})
    os.close(terminal)
    os.write(controller, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:  # How a terminal says that nobody is left.
            break
        if not part:
            break
        shown += part
    process.wait(20)
    os.close(controller)
    return shown.decode().replace("\r\n", "\n")


@shell_only
def test_shell_writes_and_reads(address, database):  # noqa: F811
    assert execute(address, database, "INSERT cpu,host=a value=1,text=\"one\" 10") == ""
    assert execute(address, database, "INSERT INTO autogen cpu,host=b value=2.5 20") == ""
    assert execute(address, database, "SELECT * FROM cpu") == (
        "name,time,host,text,value\ncpu,10,a,one,1\ncpu,20,b,,2.5\n")
    assert execute(address, database, "SELECT value FROM cpu GROUP BY host", "column") == (
        "name: cpu\ntags: host=a\ntime value\n---- -----\n10   1\n\n"
        "name: cpu\ntags: host=b\ntime value\n---- -----\n20   2.5\n")
    assert json.loads(execute(address, database, "SELECT count(value) FROM cpu", "json")) == {
        "results": [{"series": [{"name": "cpu", "columns": ["time", "count"], "values": [[0, 2]]}]}]}


@shell_only
def test_shell_makes_and_drops(address):  # noqa: F811
    assert shell(address, "-execute", 'CREATE DATABASE "made by the shell"') == ""
    assert '"made by the shell"' in shell(address, "-execute", "SHOW DATABASES", "-format", "json").replace('\\"', '"')
    assert execute(address, "made by the shell", "CREATE RETENTION POLICY week ON \"made by the shell\" DURATION 1w "
                   "REPLICATION 1") == ""
    assert "week,168h0m0s,24h0m0s,1,false" in execute(address, "made by the shell", "SHOW RETENTION POLICIES")
    assert shell(address, "-execute", 'DROP DATABASE "made by the shell"') == ""
    assert "made by the shell" not in shell(address, "-execute", "SHOW DATABASES")


@shell_only
def test_shell_shows_errors(address, database):  # noqa: F811
    for text, error in (("SELEC 1", "ERR: error parsing query: found SELEC, expected"),
                        ("SELECT mean(value), host FROM cpu", "ERR: mixing aggregate and non-aggregate queries")):
        command = [SHELL, "-host", address[0], "-port", str(address[1]), "-database", database, "-execute", text]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert error in result.stdout + result.stderr


@shell_only
def test_shell_is_used_by_hand(address, database):  # noqa: F811
    printed = typed(address, f'use "{database}"', "INSERT m v=1 1", "precision ns", "SELECT v FROM m", "SHOW SERIES",
                    "exit")
    assert "Connected to http" in printed and f"Using database {database}" in printed
    assert "name: m\ntime v\n---- -\n1    1\n" in printed
    assert "key\n---\nm\n" in printed


@shell_only
@pytest.mark.parametrize("compressed", [False, True])
def test_shell_imports_an_export(address, tmp_path, compressed):  # noqa: F811
    """The format of `influx_inspect export`: DDL, DML, a context for database and policy."""
    name = f"imported-{'packed' if compressed else 'plain'}"
    text = (f'# DDL\nCREATE DATABASE "{name}" WITH NAME autogen\n# DML\n# CONTEXT-DATABASE:{name}\n'
            "# CONTEXT-RETENTION-POLICY:autogen\n")
    text += "".join(f"m,t={n % 3} v={n}i {n}\n" for n in range(12_000))
    file = tmp_path / "export"
    file.write_bytes(gzip.compress(text.encode()) if compressed else text.encode())
    more = ["-compressed"] if compressed else []
    printed = shell(address, "-import", "-path", str(file), *more)
    assert "Processed 12000 inserts" in printed and "Failed 0 inserts" in printed
    assert execute(address, name, "SELECT count(v), max(v) FROM m") == "name,time,count,max\nm,0,12000,11999\n"
    scripts.statement(address, f'DROP DATABASE "{name}"')


@pytest.fixture
def python(address, database):  # noqa: F811
    client = influxdb.InfluxDBClient(*address, database=database, timeout=20)
    yield client
    client.close()


def test_influxdb_python_writes_points(python):
    assert python.ping()
    points = [{"measurement": "cpu", "tags": {"host": "server, 1", "region": "eu"}, "time": 1000 + n,
               "fields": {"float": n / 4, "integer": n, "text": f"say \"{n}\" <&>", "flag": n % 2 == 0}} for n in range(10)]
    assert python.write_points(points, batch_size=3, time_precision="n")
    rows = list(python.query("SELECT * FROM cpu", epoch="ns").get_points())
    assert len(rows) == 10
    assert rows[3] == {"time": 1003, "flag": False, "float": 0.75, "host": "server, 1", "integer": 3, "region": "eu",
                       "text": 'say "3" <&>'}
    assert [type(rows[4][name]) for name in ("float", "integer", "flag")] in ([float, int, bool], [int, int, bool])


def test_influxdb_python_asks(python):
    python.write_points([f"m,host={host} v={n} {n * 10**9}" for host in "ab" for n in range(6)], protocol="line")
    found = python.query("SELECT mean(v) FROM m WHERE host = $host AND time >= 0 AND time < 6s GROUP BY time(2s)",
                         bind_params={"host": "a"}, epoch="s")
    assert [row["mean"] for row in found.get_points()] == [0.5, 2.5, 4.5]
    by_host = python.query("SELECT sum(v) FROM m GROUP BY host")
    assert {dict(tags)["host"]: next(rows)["sum"] for (_, tags), rows in by_host.items()} == {"a": 15, "b": 15}
    first, second = python.query("SELECT max(v) FROM m; SELECT min(v) FROM m")
    assert next(first.get_points())["max"] == 5 and next(second.get_points())["min"] == 0
    with pytest.raises(influxdb.exceptions.InfluxDBClientError, match="error parsing query"):
        python.query("SELEC")


def test_influxdb_python_reads_chunks(address, database):  # noqa: F811
    """As JSON: against InfluxDB itself this client fails when it reads chunks of MessagePack."""
    client = influxdb.InfluxDBClient(*address, database=database, headers={"Accept": "application/json"}, timeout=20)
    client.write_points([f"m v={n} {n}" for n in range(12)], protocol="line")
    parts = list(client.query("SELECT v FROM m", chunked=True, chunk_size=5))
    assert [row["v"] for part in parts for row in part.get_points()] == list(range(12))
    client.close()


def test_influxdb_python_lists(python, database):  # noqa: F811
    python.write_points(["cpu,host=a,dc=x v=1 1", "mem,host=b u=1 1"], protocol="line")
    assert {"name": database} in python.get_list_database()
    assert python.get_list_measurements() == [{"name": "cpu"}, {"name": "mem"}]
    assert python.get_list_series() == ["cpu,dc=x,host=a", "mem,host=b"]
    python.create_retention_policy("week", "7d", "1", default=False)
    assert [one["name"] for one in python.get_list_retention_policies()] == ["autogen", "week"]
    python.alter_retention_policy("week", duration="14d")
    assert python.get_list_retention_policies()[1]["duration"] == "336h0m0s"
    python.drop_retention_policy("week")
    python.delete_series(measurement="cpu", tags={"host": "a"})
    assert python.get_list_series() == ["mem,host=b"]
    python.drop_measurement("mem")
    assert python.get_list_measurements() == []


def test_influxdb_python_sees_errors(python, database):  # noqa: F811
    python.write_points(["m v=1 1"], protocol="line")
    with pytest.raises(influxdb.exceptions.InfluxDBClientError, match="field type conflict") as refused:
        python.write_points(['m v="x" 2', "m v=3 3"], protocol="line")
    assert refused.value.code == 400
    assert len(list(python.query("SELECT v FROM m").get_points())) == 2
    python.switch_database("nothing")
    with pytest.raises(influxdb.exceptions.InfluxDBClientError, match="database not found") as refused:
        python.write_points(["m v=1 1"], protocol="line")
    assert refused.value.code == 404
    python.switch_database(database)


def test_influxdb_python_in_gzip(address, database):  # noqa: F811
    client = influxdb.InfluxDBClient(*address, database=database, gzip=True, username="u", password="p", timeout=20)
    client.write_points([f"m v={n}i {n}" for n in range(2000)], protocol="line")
    assert next(client.query("SELECT sum(v) FROM m").get_points())["sum"] == 1999000
    client.close()


@ours_only
def test_influxdb_client_writes(address, database):  # noqa: F811
    url = "http://{}:{}".format(*address)
    with influxdb_client.InfluxDBClient(url=url, token="user:password", org="any", enable_gzip=True) as client:
        assert client.ping()
        with client.write_api(write_options=SYNCHRONOUS) as writer:
            moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
            point = influxdb_client.Point("m").tag("host", "a b").field("v", 1.5).field("n", 3).time(moment)
            writer.write(bucket=f"{database}/autogen", record=[point])
            writer.write(bucket=database, record="m,host=c v=2 1577836801", write_precision="s")
            with pytest.raises(influxdb_client.rest.ApiException) as refused:
                writer.write(bucket="nothing", record="m v=1 1")
            assert refused.value.status == 404
            with pytest.raises(influxdb_client.rest.ApiException) as refused:
                writer.write(bucket=database, record="m v=")
            assert refused.value.status == 400 and "unable to parse" in refused.value.body
    answer = scripts.ask(address, "GET", "/query", {"db": database, "q": "SELECT * FROM m", "epoch": "s"})
    assert json.loads(answer.body)["results"][0]["series"][0]["values"] == [
        [1577836800, "a b", 3, 1.5], [1577836801, "c", None, 2]]


@ours_only
def test_influxdb_client_batches(address, database):  # noqa: F811
    url = "http://{}:{}".format(*address)
    with influxdb_client.InfluxDBClient(url=url, token="t", org="any") as client:
        options = influxdb_client.WriteOptions(batch_size=500, flush_interval=200)
        with client.write_api(write_options=options) as writer:
            for number in range(5000):
                writer.write(bucket=database, record=f"m v={number}i {number}")
    answer = scripts.ask(address, "GET", "/query", {"db": database, "q": "SELECT count(v), sum(v) FROM m", "epoch": "ns"})
    assert json.loads(answer.body)["results"][0]["series"][0]["values"] == [[0, 5000, 12497500]]


def telegraf(address, path, body=b"", **headers):  # noqa: F811
    """A request as Telegraf 1.x's output `influxdb` makes it."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request("POST", path, body, {"User-Agent": "Telegraf/1.34.0 Go/1.24.1", "Accept-Encoding": "gzip",
                                                **headers})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_telegraf_makes_its_database_and_writes(address):  # noqa: F811
    created = telegraf(address, "/query", b"q=CREATE+DATABASE+%22telegraf%22",
                       **{"Content-Type": "application/x-www-form-urlencoded"})
    assert created[0] == 200
    lines = b"cpu,cpu=cpu-total,host=web usage_idle=97.5,usage_user=1.25 1500000000000000000\n" \
            b"disk,device=vda1,host=web,path=/ free=1i,total=2i 1500000000000000000\n"
    status, _, body = telegraf(address, "/write?consistency=any&db=telegraf&precision=ns", gzip.compress(lines),
                               **{"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"})
    assert (status, body) == (204, b"")
    answer = scripts.ask(address, "GET", "/query", {"db": "telegraf", "q": "SHOW MEASUREMENTS"})
    assert b'[["cpu"],["disk"]]' in answer.body
    scripts.statement(address, "DROP DATABASE telegraf")


def test_telegraf_finds_the_texts_that_it_matches(address, database):  # noqa: F811
    """It looks for these in the body's `error`, and drops or creates accordingly."""
    scripts.statement(address, f'CREATE RETENTION POLICY day ON "{database}" DURATION 1d REPLICATION 1')
    telegraf(address, f"/write?db={database}", b"m v=1 1\n")
    for path, line, wanted, text in (
            ("/write?db=missing", b"m v=1 1", 404, "database not found"),
            (f"/write?db={database}", b"m v=1i 2\nm v=2 2", 400, "partial write"),
            (f"/write?db={database}", b"m v=1i 2\nm v=2 2", 400, "field type conflict"),
            (f"/write?db={database}&rp=day", b"m v=1 1", 400, "points beyond retention policy"),
            (f"/write?db={database}", b"m v=", 400, "unable to parse")):
        status, headers, body = telegraf(address, path, line)
        error = json.loads(body)["error"]
        assert status == wanted and text in error and headers["X-Influxdb-Error"] == error
