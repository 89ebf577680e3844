"""Log lines on their way in: over HTTP in every form, from Kafka producers, through a pipe. What arrived is read by a
Kafka consumer."""

import gzip
import json
import random
import subprocess
import time
import urllib.error
import urllib.request
import zlib

import cramjam
import pytest
import zstandard
from confluent_kafka import Consumer, Producer, TopicPartition

from server import binary

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
JANUARY_2200 = 7_258_118_400_000_000_000


def send(server, body, content_type=JSON, path="/loki/api/v1/push", tenant=None, **fields):
    """Status, body and header fields of the answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.http_port}{path}", data=body, method="POST")
    if content_type:
        request.add_header("Content-Type", content_type)
    if tenant is not None:
        request.add_header("X-Scope-OrgID", tenant)
    for name, value in fields.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def streams(*described):
    """A push as JSON: (labels, [(nanoseconds, line, metadata…)])."""
    return json.dumps({"streams": [
        {"stream": labels, "values": [[str(time_), *rest] for time_, *rest in lines]} for labels, lines in described
    ]}).encode()


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, content):
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def protobuf(*described):
    """A push as logproto.PushRequest, without its compression."""
    push = b""
    for labels, lines in described:
        stream = field(1, labels.encode())
        for time_, line, *metadata in lines:
            entry = field(1, field(1, time_ // 10**9) + field(2, time_ % 10**9)) + field(2, line)
            for name, value in (metadata[0] if metadata else {}).items():
                entry += field(3, field(1, name.encode()) + field(2, value.encode()))
            stream += field(2, entry)
        push += field(1, stream)
    return push


def records(server, topic, partitions=1, count=None):
    """(key, nanoseconds, line, metadata) of each record, in order."""
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "x", "enable.partition.eof": True,
                         "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    found, ends, deadline = [], 0, time.monotonic() + 30
    while (ends < partitions if count is None else len(found) < count) and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            ends += 1
            continue
        headers = list(message.headers() or [])
        fraction = int(headers.pop(0)[1]) if headers and headers[0][0] == "ns" else 0
        nanoseconds = message.timestamp()[1] * 1_000_000 + fraction
        key = message.key().decode() if message.key() else None
        found.append((key, nanoseconds, message.value(), {name: value.decode() for name, value in headers}))
    consumer.close()
    return found


def tenant_of(topic):
    """Of the test's own topic: tenants are topics."""
    return topic.replace("_", "-"), "logs." + topic.replace("_", "-")


def test_every_form_of_a_push_makes_the_same_records(server, topic):
    lines = [(1_700_000_000_000_000_001, "one"), (1_700_000_000_123_456_789, 'a "b" \\ é\n\t', {"trace": "x", "ns": "n"}),
             (0, "1970"), (JANUARY_2200, "2200"), (1, "")]
    plain = streams(({"host": "y", "app": "x"}, lines))
    proto = protobuf(('{host="y", app="x"}', [(t, line.encode(), *rest) for t, line, *rest in lines]))
    raw = zlib.compressobj(wbits=-15)
    snappy = bytes(cramjam.snappy.compress_raw(proto))
    forms = [
        (plain, JSON, {}), (plain, "application/json; charset=utf-8", {}), (plain, None, {}),
        (gzip.compress(plain), JSON, {"Content_Encoding": "gzip"}),
        (zlib.compress(plain), JSON, {"Content_Encoding": "deflate"}),
        (raw.compress(plain) + raw.flush(), JSON, {"Content_Encoding": "deflate"}),
        (snappy, PROTOBUF, {}), (snappy, PROTOBUF, {"Content_Encoding": "snappy"}), (snappy, None, {}),
        (gzip.compress(snappy), PROTOBUF, {"Content_Encoding": "gzip"}),
    ]
    expected = [('{app="x",host="y"}', t, line.encode(), rest[0] if rest else {}) for t, line, *rest in lines]
    for number, (body, content_type, fields) in enumerate(forms):
        tenant, name = tenant_of(f"{topic}-{number}")
        status, text, headers = send(server, body, content_type, tenant=tenant, **fields)
        assert (status, text) == (204, ""), (number, text)
        found = records(server, name)
        assert found == expected, number


def test_what_is_no_utf8_is_kept(server, topic):
    tenant, name = tenant_of(topic)
    line = bytes(range(256))
    body = bytes(cramjam.snappy.compress_raw(protobuf(('{a="b"}', [(1, line)]))))
    assert send(server, body, PROTOBUF, tenant=tenant)[0] == 204
    assert [r[2] for r in records(server, name)] == [line]


def test_bad_entries_are_told_and_good_ones_kept(server, topic):
    tenant, name = tenant_of(topic)
    body = (b'{"streams":[{"stream":{"app":"x"},"values":[["1","good"],["then","bad"],["2",3],["3","also good"]]},'
            b'{"stream":{},"values":[["1","no labels"]]},{"stream":{"a-b":"c"},"values":[["1","no name"]]}]}')
    status, text, _ = send(server, body, tenant=tenant)
    assert status == 400
    for reason in ('stream {app="x"}, entry 2: the time', "entry 3: the line is no string",
                   "error at least one label pair is required per stream", "Error parsing labels"):
        assert reason in text, text
    assert [r[2] for r in records(server, name)] == [b"good", b"also good"]


@pytest.mark.parametrize("body, content_type, fields, status, reason", [
    (b"", JSON, {}, 400, "byte 0"),
    (b"{", JSON, {}, 400, "string was expected"),
    (b'{"streams":[]}', JSON, {}, 422, "error at least one valid stream is required for ingestion"),
    (b'{"streams":[', JSON, {}, 400, "byte"),
    (b'{"streams":' + b"[" * 100_000, JSON, {}, 400, ""),
    (b"\xff\xfe garbage", PROTOBUF, {}, 400, "snappy"),
    (bytes(cramjam.snappy.compress_raw(b"\x08\x01\xff\xff")), PROTOBUF, {}, 400, "protobuf"),
    (b"no gzip", JSON, {"Content_Encoding": "gzip"}, 400, "gzip"),
    (b"no deflate", JSON, {"Content_Encoding": "deflate"}, 400, "deflate"),
    (b"{}", JSON, {"Content_Encoding": "br"}, 400, 'Content-Encoding "br" not supported'),
    (gzip.compress(b"x" * 30_000_000), JSON, {"Content_Encoding": "gzip"}, 413, "too large"),
    # A bomb: a few bytes that announce gigabytes.
    (b"\xff\xff\xff\xff\x0f" + b"\x00" * 10, PROTOBUF, {}, 400, "snappy"),
])
def test_what_is_no_push_is_refused(server, body, content_type, fields, status, reason):
    answer, text, _ = send(server, body, content_type, tenant="refused", **fields)
    assert answer in (status, 413) and reason in text, (answer, text)


def test_a_line_beyond_the_bound_is_refused_in_lokis_words(server, topic):
    tenant, name = tenant_of(topic)
    long = "x" * (256 * 1024 + 1)
    status, text, _ = send(server, streams(({"app": "x", "b": "c"}, [(1, long), (2, long[:-1])])), tenant=tenant)
    assert status == 400
    assert text == ("1 errors like: Max entry size '262144' bytes exceeded for stream '{app=\"x\", b=\"c\"}' while adding an "
                    "entry with length '262145' bytes\n")
    assert [len(r[2]) for r in records(server, name)] == [262_144]


def test_a_body_of_100_megabytes_is_refused_and_the_server_goes_on(server):
    body = streams(({"app": "x"}, [(1, "x" * 100_000_000)]))
    try:
        assert send(server, body, tenant="huge")[0] == 413
    except (urllib.error.URLError, ConnectionError):
        pass  # The server closes the connection before it has read everything.


def test_tenants_do_not_see_each_other(server, topic):
    tenant, _ = tenant_of(topic)
    for number in range(3):
        assert send(server, streams(({"app": "x"}, [(1, f"of {number}")])), tenant=f"{tenant}.{number}")[0] == 204
    for number in range(3):
        assert [r[2] for r in records(server, f"logs.{tenant}.2e{number}")] == [b"of %d" % number]
    assert send(server, streams(({"app": "x"}, [(1, "single")])))[0] == 204
    assert (b"single" in [r[2] for r in records(server, "logs.fake")])


@pytest.mark.parametrize("tenant, reason", [
    ("a|b", "multiple org IDs present"), ("..", "tenant ID is '.' or '..'"), ("a b", "contains unsupported character ' '"),
    ("a" * 151, "tenant ID is too long: max 150 characters"), ("a/b", "contains unsupported character '/'"),
])
def test_names_that_are_none(server, tenant, reason):
    status, text, _ = send(server, streams(({"app": "x"}, [(1, "a")])), tenant=tenant)
    assert status == 400 and reason in text, text


def test_json_lines(server, topic):
    tenant, name = tenant_of(topic)
    body = (b'{"_time":"2023-11-14T22:13:20.5Z","_msg":"a","app":"x","n":1}\nbad\n{"app":"y","level":"info"}\n')
    status, text, _ = send(server, body, "application/stream+json", tenant=tenant,
                           path="/insert/jsonline?_stream_fields=app&extra_fields=env=test")
    assert status == 400 and "line 2" in text, text
    found = {key: (line, metadata) for key, _, line, metadata in records(server, name)}
    assert found == {'{app="x",env="test"}': (b"a", {"n": "1"}),
                     '{app="y",env="test"}': (b'{"app":"y","level":"info"}', {})}


def test_a_kafka_producer_feeds_the_view(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic, millrace_view="search")
    producer = Producer({"bootstrap.servers": server.bootstrap})
    for number in range(100):
        producer.produce(topic, b"line %d" % number, key=b'{app="k"}', timestamp=1_000 + number, headers={"ns": b"7"})
    producer.produce(topic, b"without a key", timestamp=7_258_118_400_000)
    assert producer.flush(20) == 0
    views = json.loads(server.get(f"/views/wait?topic={topic}&offset=100&timeout=20000"))
    assert views["applied"] >= 101
    assert records(server, topic)[3] == ('{app="k"}', 1_003_000_007, b"line 3", {})


def test_a_durable_push_survives_a_kill(new_server):
    server = new_server()
    acknowledged = []
    for number in range(50):
        fields = {"X_Millrace_Delivery": "durable"} if number % 2 else {}
        labels = {"app": "x"} if number % 2 else {"class": "audit"}
        assert send(server, streams((labels, [(number, f"line {number}")])), **fields)[0] == 204
        acknowledged.append(b"line %d" % number)
    server.kill()
    server.start()
    assert [r[2] for r in records(server, "logs.fake")] == acknowledged


def push(server, *arguments, **options):
    command = [binary(), "logs", "push", *arguments, "--server", f"127.0.0.1:{server.http_port}"]
    return subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **options)


def test_a_pipe_is_pushed(server, topic):
    tenant, name = tenant_of(topic)
    text = b"".join(b"line %d\n" % (number % 10) for number in range(20_000)) + b"\xff\n\nlast"
    process = push(server, "app=demo", "host=h", "--tenant", tenant, "--json")
    out, err = process.communicate(text, timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["lines"] == 20_003 and json.loads(out)["refused"] == 0
    found = records(server, name)
    assert b"\n".join(r[2] for r in found) == text
    assert {r[0] for r in found} == {'{app="demo",host="h"}'}
    times = [r[1] for r in found]
    assert times == sorted(set(times)), "each line has a time of its own, in order"


def test_times_in_front_of_lines(server, topic):
    tenant, name = tenant_of(topic)
    process = push(server, "app=x", "--tenant", tenant, "--timestamps")
    process.communicate(b"2023-11-14 22:13:20.5 started\n  at a stack\n", timeout=30)
    assert [r[1] for r in records(server, name)] == [1_700_000_000_500_000_000, 1_700_000_000_500_000_001]


def test_a_pipe_loses_nothing_when_the_server_starts_again(new_server):
    server = new_server()
    process = push(server, "app=demo", "--linger", "10ms")
    sent = 0
    for restart in range(3):
        for _ in range(200):
            process.stdin.write(b"line %d\n" % sent)
            process.stdin.flush()
            sent += 1
            time.sleep(random.random() / 1_000)
        server.kill()
        for _ in range(100):
            process.stdin.write(b"line %d\n" % sent)
            process.stdin.flush()
            sent += 1
        time.sleep(0.3)
        server.start()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert b"trying again" in err
    seen = [r[2] for r in records(server, "logs.fake")]
    assert sorted(set(seen), key=lambda line: int(line[5:])) == [b"line %d" % number for number in range(sent)]


def test_a_pipe_gives_up_if_it_is_told_to(tmp_path):
    process = subprocess.run([binary(), "logs", "push", "a=b", "--server", "127.0.0.1:1", "--give-up-after", "300ms"],
                             input=b"x\n", capture_output=True, timeout=30)
    assert process.returncode == 1 and b"1 lines that were read are not written" in process.stderr, process
    wrong = subprocess.run([binary(), "logs", "push", "a-b=c"], input=b"", capture_output=True, timeout=30)
    assert wrong.returncode == 64, wrong


def test_files_are_imported(server, topic, tmp_path):
    tenant, name = tenant_of(topic)
    text = "".join(f"2023-11-14T22:13:{number % 60:02}.{number:06}Z line {number}\n" for number in range(5_000)).encode()
    (tmp_path / "a.log").write_bytes(text)
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(text))
    (tmp_path / "c.log.zst").write_bytes(zstandard.compress(text))
    files = [tmp_path / name for name in ("a.log", "b.log.gz", "c.log.zst")]
    ended = subprocess.run([binary(), "logs", "import", *files, "--label", "host=h", "--tenant", tenant, "--json",
                            "--server", f"127.0.0.1:{server.http_port}"], capture_output=True, timeout=60)
    assert ended.returncode == 0 and json.loads(ended.stdout)["lines"] == 15_000, ended
    found = records(server, name)
    for file in files:
        lines = [r for r in found if r[0] == f'{{filename="{file}",host="h"}}']
        assert b"".join(r[2] + b"\n" for r in lines) == text
        assert lines[61][1] == 1_699_999_981_000_061_000
    again = subprocess.run([binary(), "logs", "import", files[0], "--from-line", "4999", "--no-filename", "--tenant",
                            tenant, "--server", f"127.0.0.1:{server.http_port}"], capture_output=True, timeout=60)
    assert again.returncode == 0 and b"2 lines written" in again.stderr, again
