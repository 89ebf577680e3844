"""Requests as a whole: bodies, encodings, methods, headers, bounds. Proven against InfluxDB as well."""

import contextlib
import gzip
import http.client
import json
import socket
import urllib.parse

from influx import scripts
from influx.fixtures import ORIGINAL, address, database, original, ours_only  # noqa: F401 (fixtures)


def write(address, database, body, headers=None, **parameters):  # noqa: F811
    return scripts.ask(address, "POST", "/write", {"db": database, **parameters}, body, headers)


def values(address, database, query):  # noqa: F811
    """The rows of the first series."""
    answer = scripts.ask(address, "GET", "/query", {"db": database, "q": query, "epoch": "ns"})
    result = json.loads(answer.body)["results"][0]
    assert "error" not in result, result
    return result["series"][0]["values"] if "series" in result else []


def headers_of(address, method, path, body=None, headers=None):  # noqa: F811
    connection = http.client.HTTPConnection(*address, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_ping(address):  # noqa: F811
    for method in ("GET", "HEAD"):
        status, headers, body = headers_of(address, method, "/ping")
        assert (status, body) == (204, b"")
        assert headers["X-Influxdb-Version"]


def test_every_answer_names_the_version(address, database):  # noqa: F811
    for method, path, body in (("POST", f"/write?db={database}", b"m v=1 1"), ("GET", "/query?q=SHOW+DATABASES", None),
                               ("GET", "/query?q=SELEC", None), ("POST", "/write", b"m v=1")):
        _, headers, _ = headers_of(address, method, path, body)
        assert headers["X-Influxdb-Version"] and headers["Request-Id"] == headers["X-Request-Id"]


def test_error_header_repeats_the_body(address):  # noqa: F811
    _, headers, body = headers_of(address, "POST", "/write?db=nothing", b"m v=1 1")
    assert headers["X-Influxdb-Error"] == json.loads(body)["error"] == 'database not found: "nothing"'


def test_gzip(address, database):  # noqa: F811
    answer = write(address, database, gzip.compress(b"m v=1 1\nm v=2 2\n"), {"Content-Encoding": "gzip"})
    assert answer.status == 204
    assert values(address, database, "SELECT v FROM m") == [[1, 1], [2, 2]]
    answer = write(address, database, gzip.compress(b"m v=3 3\n")[:-6], {"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert values(address, database, "SELECT count(v) FROM m") == [[0, 2]]


def test_answers_in_gzip(address, database):  # noqa: F811
    write(address, database, b"".join(b"m v=%d %d\n" % (n, n) for n in range(2000)))
    path = f"/query?{urllib.parse.urlencode({'db': database, 'q': 'SELECT v FROM m'})}"
    _, _, plain = headers_of(address, "GET", path, headers={"Accept-Encoding": "identity"})
    _, headers, packed = headers_of(address, "GET", path, headers={"Accept-Encoding": "gzip"})
    if headers["Content-Encoding"] == "gzip":
        packed = gzip.decompress(packed)
    assert packed == plain


def test_body_in_chunks(address, database):  # noqa: F811
    connection = http.client.HTTPConnection(*address, timeout=20)
    connection.request("POST", f"/write?db={database}", iter([b"m v=1 1\nm v", b"=2 2\n", b"m v=3 3"]),
                       encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 204
    connection.close()
    assert values(address, database, "SELECT v FROM m") == [[1, 1], [2, 2], [3, 3]]


def test_body_over_25_megabytes(address, database):  # noqa: F811
    body = b"m v=1 1\n" * (25_000_000 // 8 + 1)
    head = f"POST /write?db={database} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(address, timeout=20) as opened:
        with contextlib.suppress(OSError):  # The server need not read what it refuses.
            opened.sendall(head + body)
        answer = opened.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert write(address, database, b"m v=1 1\n").status == 204


@ours_only
def test_bomb_in_gzip(address, database):  # noqa: F811
    bomb = gzip.compress(b"m v=1 1\n" * (40_000_000 // 8))
    answer = write(address, database, bomb, {"Content-Encoding": "gzip"})
    assert answer.status == 413, answer
    assert write(address, database, b"m v=1 1\n").status == 204


def test_connection_is_kept(address, database):  # noqa: F811
    connection = http.client.HTTPConnection(*address, timeout=20)
    for number in range(20):
        connection.request("POST", f"/write?db={database}", b"m v=%d %d" % (number, number))
        response = connection.getresponse()
        assert (response.status, response.read()) == (204, b"")
    connection.close()
    assert values(address, database, "SELECT count(v) FROM m") == [[0, 20]]


def test_requests_one_after_another_without_waiting(address, database):  # noqa: F811
    body = b"m v=1 1"
    request = b"POST /write?db=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
        database.encode(), len(body), body)
    with socket.create_connection(address, timeout=20) as opened:
        opened.sendall(request * 10)
        seen = b""
        while seen.count(b"HTTP/1.1 204") < 10:
            part = opened.recv(65536)
            assert part
            seen += part


def test_carriage_returns_and_zeros(address, database):  # noqa: F811
    assert write(address, database, b"m v=1 1\r\nm v=2 2\n\r\n").status == (400 if ORIGINAL else 204)
    assert write(address, database, b'm s="a\x00b" 3').status == 204
    assert values(address, database, "SELECT s FROM m") == [[3, "a\x00b"]]


def test_bytes_that_are_no_text(address, database):  # noqa: F811
    """Whatever a server makes of them, it goes on and what it answers is JSON."""
    answer = write(address, database, b'm,t=\xff\xfe v=1,s="\xc3" 1')
    assert answer.status in (204, 400)
    values(address, database, "SELECT * FROM m")
    scripts.ask(address, "GET", "/query", {"db": database, "q": b"SELECT \xff FROM m"})
    assert write(address, database, b"n v=1 1").status == 204


def test_methods(address):  # noqa: F811
    for method, path in (("GET", "/write"), ("PUT", "/write"), ("DELETE", "/query"), ("PUT", "/query")):
        status, _, _ = headers_of(address, method, f"{path}?db=x&q=SHOW+DATABASES")
        assert status == (405 if ORIGINAL else 404), (method, path)
    status, _, _ = headers_of(address, "GET", "/nothing")
    assert status == 404


def test_long_field(address, database):  # noqa: F811
    assert write(address, database, b'm s="%s" 1' % (b"x" * 65536)).status == 204
    answer = write(address, database, b'm s="%s" 2' % (b"x" * 65537))
    assert answer.status in (204, 400)


def test_long_key(address, database):  # noqa: F811
    assert write(address, database, b"m,t=%s v=1 1" % (b"x" * 60000)).status == 204
    answer = write(address, database, b"m,t=%s v=1 1\nm v=2 2\n" % (b"x" * 70000))
    assert answer.status == 400 and "max key length exceeded" in json.loads(answer.body)["error"]
    answer = write(address, database, b"m,t=%s v=1 1" % (b"x" * 1_000_000))
    assert answer.status == 400
    assert len(answer.body) < 3_000_000


def test_time_is_given_when_it_is_missing(address, database):  # noqa: F811
    assert write(address, database, b"m v=1\nm,t=a v=2\n").status == 204
    rows = values(address, database, "SELECT v FROM m WHERE time > now() - 1m AND time < now() + 1m")
    assert sorted(row[1] for row in rows) == [1, 2]


def test_missing_time_has_the_precision(address, database):  # noqa: F811
    assert write(address, database, b"m v=1\n", precision="s").status == 204
    ((time, _),) = values(address, database, "SELECT v FROM m WHERE time > now() - 1m")
    assert time % 1_000_000_000 == 0


def test_many_points(address, database):  # noqa: F811
    lines = b"".join(b"m,t=%d v=%di %d\n" % (n % 7, n, n) for n in range(25_000))
    assert write(address, database, lines).status == 204
    assert values(address, database, "SELECT count(v), sum(v) FROM m") == [[0, 25_000, 25_000 * 24_999 // 2]]
    rows = values(address, database, "SELECT v FROM m")
    assert [row[0] for row in rows] == list(range(25_000))


def test_chunks_of_the_default_size(address, database):  # noqa: F811
    write(address, database, b"".join(b"m v=%di %d\n" % (n, n) for n in range(25_000)))
    answer = scripts.ask(address, "GET", "/query", {"db": database, "q": "SELECT v FROM m", "chunked": "true"})
    chunks = [json.loads(line)["results"][0]["series"][0] for line in answer.body.splitlines()]
    assert [len(chunk["values"]) for chunk in chunks] == [10_000, 10_000, 5_000]
    assert [chunk.get("partial", False) for chunk in chunks] == [True, True, False]


@ours_only
def test_write_like_influxdb_2(address, database):  # noqa: F811
    for bucket, precision, time in ((database, "s", 1), (f"{database}/autogen", "ms", 2000), (f"{database}/", "ns", 3)):
        answer = scripts.ask(address, "POST", "/api/v2/write", {"org": "any", "bucket": bucket, "precision": precision},
                             b"m,b=%s v=1 %d" % (precision.encode(), time), {"Authorization": "Token a:b"})
        assert answer.status == 204, answer
    assert values(address, database, "SELECT count(v) FROM m") == [[0, 3]]
    answer = scripts.ask(address, "POST", "/api/v2/write", {"bucket": "nothing/nothing"}, b"m v=1 1")
    assert answer.status == 404 and json.loads(answer.body)["code"] == "not found"
    answer = scripts.ask(address, "POST", "/api/v2/write", {"bucket": database}, b"m v=x 1")
    assert answer.status == 400 and json.loads(answer.body)["code"] == "invalid"


@ours_only
def test_write_like_influxdb_3(address, database):  # noqa: F811
    answer = scripts.ask(address, "POST", "/api/v3/write_lp", {"db": database, "precision": "second"}, b"m v=1 5")
    assert answer.status == 204
    assert values(address, database, "SELECT v FROM m") == [[5_000_000_000, 1]]
