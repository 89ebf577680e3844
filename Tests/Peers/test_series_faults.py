"""What can go wrong below a view: damaged blocks, a full disk, a hold at its bound, a kill at any moment."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from influx import scripts
from influx.fixtures import ours_only
from server import binary
from test_disk_full import SmallDisk, mounting  # noqa: F401 (a fixture)

pytestmark = ours_only
QUICK_CUTS = {"MILLRACE_VIEW_CUT_MS": "200", "MILLRACE_VIEW_COMPACTION_INTERVAL_MS": "200"}
PATIENCE_SECONDS = 30


def address(server):
    return "127.0.0.1", server.http_port


def write(server, lines, database="db0"):
    return scripts.ask(address(server), "POST", "/write", {"db": database}, lines)


def count(server, measurement="m", database="db0"):
    """How many points the measurement has; None if the query fails."""
    parameters = {"db": database, "q": f"SELECT count(v) FROM {measurement}", "epoch": "ns"}
    answer = scripts.ask(address(server), "GET", "/query", parameters)
    result = json.loads(answer.body)
    result = result["results"][0] if "results" in result else result
    if "error" in result:
        return None
    return result["series"][0]["values"][0][1] if "series" in result else 0


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def blocks(server):
    return sorted(Path(server.data).glob("views/*/*/blocks/*.block"))


def points(low, high):
    return b"".join(b"m,t=%d v=%di %d\n" % (n % 5, n, n * 1_000_000) for n in range(low, high))


def filled(new_server, total=5000):
    """A server with one database whose points are in blocks."""
    server = new_server(environment=QUICK_CUTS)
    scripts.statement(address(server), "CREATE DATABASE db0")
    assert write(server, points(0, total)).status == 204
    eventually(lambda: blocks(server), "no block was written")
    return server


def rebuild(server):
    """What `millrace view rebuild` asks for."""
    answer = scripts.ask(address(server), "POST", "/views/metrics.db0/rebuild", {})
    assert answer.status == 200, answer


@pytest.mark.parametrize("where", [0.02, 0.5, 0.98])
def test_a_damaged_block(new_server, where):
    """Told, and made again from the log when it is asked for; never a wrong answer, and the rest goes on."""
    server = filled(new_server)
    assert server.stop() == 0
    block = blocks(server)[0]
    data = bytearray(block.read_bytes())
    at = int(len(data) * where)
    data[at:at + 64] = bytes(byte ^ 0xFF for byte in data[at:at + 64])
    block.write_bytes(data)
    server.start()
    scripts.statement(address(server), "CREATE DATABASE other")
    assert write(server, b"m v=1 1", "other").status == 204
    assert count(server, database="other") == 1
    seen = count(server)
    assert seen in (None, 5000), f"a damaged block was believed: {seen} points"
    damaged = 'millrace_series_damaged_blocks{topic="metrics.db0"} '
    assert damaged + ("1" if seen is None else "0") in server.get("/metrics").splitlines()
    assert count(server) == seen
    told = [line for line in server.log_text().splitlines() if "cannot be read: queries" in line]
    assert len(told) == (seen is None) and all("level=error" in line for line in told), told
    rebuild(server)
    eventually(lambda: count(server) == 5000, "the block was not made again from the log")
    # While the rebuilt view takes over, writers are asked to try again.
    eventually(lambda: write(server, points(5000, 5100)).status == 204, "nothing can be written")
    assert count(server) == 5100
    assert damaged + "0" in server.get("/metrics").splitlines()


def test_check_tells_of_a_damaged_block(new_server):
    server = filled(new_server)
    assert server.stop() == 0
    status, output = server.check()
    assert status == 0, output
    block = blocks(server)[0]
    tool = [str(binary()), "series", "check", str(block)]
    assert subprocess.run(tool, capture_output=True).returncode == 0
    data = bytearray(block.read_bytes())
    data[len(data) // 2] ^= 1
    block.write_bytes(data)
    done = subprocess.run(tool, capture_output=True, text=True)
    assert done.returncode != 0 and block.name in done.stdout + done.stderr


def test_nothing_is_left_behind_by_a_kill_while_blocks_are_written(new_server):
    server = new_server(environment={**QUICK_CUTS, "MILLRACE_VIEW_CUT_MS": "50"})
    scripts.statement(address(server), "CREATE DATABASE db0")
    total = 0
    for _ in range(8):
        for _ in range(5):
            assert write(server, points(total, total + 300)).status == 204
            total += 300
        server.kill()
        server.start()
        assert count(server) == total
    eventually(lambda: not list(Path(server.data).glob("views/*/*/blocks/*.unfinished")), "unfinished files stay")


def test_a_full_disk(mounting):  # noqa: F811
    """Refused with 503, which Telegraf tries again; what was acknowledged is there; goes on when there is room."""
    disk = SmallDisk(mounting(), room=12 << 20, reserve=4 << 20)
    server, sent = disk.server, 0
    try:
        scripts.statement(address(server), "CREATE DATABASE db0")
        text = b"x" * 20_000
        while True:
            answer = write(server, b'm v=%di,s="%s" %d\n' % (sent, text + os.urandom(5000).hex().encode(), sent))
            if answer.status != 204:
                break
            sent += 1
            assert sent < 5000, "the disk never became full"
        assert answer.status == 503, answer
        assert count(server) == sent
        disk.make_room()
        eventually(lambda: write(server, b"m v=%di %d\n" % (sent, sent)).status == 204, "no write after room was made")
        assert count(server) == sent + 1
        server.kill()
        server.start()
        assert count(server) == sent + 1
    finally:
        server.discard()


def test_kill_right_after_every_answer(new_server):
    server = new_server()
    scripts.statement(address(server), "CREATE DATABASE db0")
    for number in range(6):
        assert write(server, points(number * 100, number * 100 + 100)).status == 204
        server.kill()
        server.start()
        assert count(server) == (number + 1) * 100
    for text, left in (("DELETE FROM m WHERE time < 100000000", 500), ("DROP SERIES FROM m WHERE t = '1'", 400),
                       ("DROP MEASUREMENT m", 0)):
        answer = scripts.ask(address(server), "POST", "/query", {"db": "db0", "q": text})
        assert b"error" not in answer.body, answer
        server.kill()
        server.start()
        assert count(server) == left, text
