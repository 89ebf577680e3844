"""Points that come neither by a request nor by a record: files of lines, and datagrams."""

import gzip
import json
import re
import socket
import subprocess
import time

from influx import scripts
from server import Server, binary, data_directory


def count(server, name, field="v", measurement="m"):
    answer = scripts.ask(("127.0.0.1", server.http_port), "GET", "/query",
                         {"db": name, "q": f"SELECT count({field}) FROM {measurement}"})
    result = json.loads(answer.body)["results"][0]
    return result["series"][0]["values"][0][1] if "series" in result else 0


def run_import(server, *arguments, standard_input=None):
    return subprocess.run([binary(), "import", *map(str, arguments), "--server", f"127.0.0.1:{server.http_port}"],
                          input=standard_input, capture_output=True, timeout=60)


def test_files_are_imported_and_bad_lines_are_told_with_their_place(server, tmp_path):
    lines = [f"m,host=h{number % 7} v={number}i {number}\n" for number in range(20_000)]
    lines.insert(12_345, "m,host v=1\n")
    plain, packed = tmp_path / "a.lp", tmp_path / "b.lp.gz"
    plain.write_text("".join(lines))
    packed.write_bytes(gzip.compress("".join(f"m v={number}i {number}\n" for number in range(1_000)).encode()))
    ended = run_import(server, plain, packed, "--database", "imported", "--precision", "ms")
    assert ended.returncode == 1, ended
    assert re.search(rb"a\.lp:12346\b", ended.stderr), ended.stderr
    assert count(server, "imported") == 21_000
    again = run_import(server, "-", "--database", "imported", "--precision", "ms", standard_input=plain.read_bytes())
    assert again.returncode == 1 and count(server, "imported") == 21_000, "a point is there once"


def test_an_export_of_influx_says_where_its_points_go(server, tmp_path):
    export = tmp_path / "export"
    export.write_text("# DDL\nCREATE DATABASE moved WITH DURATION INF REPLICATION 1 NAME kept\n# DML\n"
                      "# CONTEXT-DATABASE:moved\n# CONTEXT-RETENTION-POLICY:kept\nm v=1 1\nm v=2 2\n")
    ended = run_import(server, export)
    assert ended.returncode == 0, ended
    assert count(server, "moved", measurement="kept.m") == 2


def test_nobody_listens(tmp_path):
    (tmp_path / "a.lp").write_text("m v=1\n")
    ended = subprocess.run([binary(), "import", tmp_path / "a.lp", "--database", "d", "--server", "127.0.0.1:1",
                            "--timeout", "1s"], capture_output=True, timeout=30)
    assert ended.returncode != 0 and b"127.0.0.1:1" in ended.stderr, ended


def test_lines_in_datagrams_arrive():
    server = Server(data_directory("datagrams"), environment={"MILLRACE_INFLUX_UDP_LISTEN": "127.0.0.1:0",
                                                              "MILLRACE_INFLUX_UDP_BATCH_MS": "50"})
    server.start()
    try:
        port = int(re.search(r"udp=127\.0\.0\.1:(\d+)", server.log_text()).group(1))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(100):
                sender.sendto(b"m v=%d %d\n" % (number, number), ("127.0.0.1", port))
            sender.sendto(b"no line\n", ("127.0.0.1", port))
        deadline = time.monotonic() + 10
        while count(server, "udp") < 100 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert count(server, "udp") == 100
        assert server.stop() == 0
    finally:
        server.discard()
