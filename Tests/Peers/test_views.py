"""`millrace view`, the hold on the log, and backups of views, on the real binary."""

import json
import subprocess
import urllib.error
import urllib.request

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient
from server import binary

CUT = "4096"


@pytest.fixture
def served(new_server):
    """A server whose views cut every few kilobytes."""
    return new_server(flags=["--view-cut-bytes", CUT, "--view-compaction-interval-ms", "100"])


def address(server):
    return f"127.0.0.1:{server.http_port}"


def view(server, *words, check=True):
    done = subprocess.run([str(binary()), "view", *words, "--server", address(server)], capture_output=True, text=True,
                          timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def status(server, topic):
    (found,) = [json.loads(line) for line in view(server, "status", topic, "--json").stdout.splitlines()]
    return found


def write(server, database, lines):
    request = urllib.request.Request(f"http://{address(server)}/write?db={database}", "\n".join(lines).encode())
    try:
        return urllib.request.urlopen(request, timeout=30).status
    except urllib.error.HTTPError as error:
        return error.code


def count(server, database):
    with urllib.request.urlopen(
            f"http://{address(server)}/query?db={database}&q=SELECT%20count(v)%20FROM%20m", timeout=30) as answer:
        return json.load(answer)["results"][0]["series"][0]["values"][0][1]


def fill(server, database, number=1_000):
    with server.connect() as connection:
        connection.create_topic(f"metrics.{database}", millrace_view="series", retention_ms=1, segment_bytes=8192)
    for start in range(0, number, 100):
        assert write(server, database, [f"m,host=h{n % 7} v={n} {n + 1}" for n in range(start, start + 100)]) == 204


def test_views_are_told_paused_resumed_and_rebuilt(served):
    fill(served, "db")
    assert "metrics.db" in view(served, "list").stdout
    found = status(served, "metrics.db")
    assert found["state"] == "running" and found["applied"] == found["highWatermark"]
    view(served, "pause", "metrics.db")
    assert status(served, "metrics.db")["state"] == "paused"
    assert write(served, "db", ["m v=1 5000"]) == 503
    assert count(served, "db") == 1_000, "what was applied is seen"
    view(served, "resume", "metrics.db")
    view(served, "rebuild", "metrics.db")
    for _ in range(200):
        if status(served, "metrics.db").get("rebuiltUpTo") is None:
            break
    assert count(served, "db") == 1_001, "the refused point was in the log, and is in the view now"
    missing = view(served, "pause", "nobody", check=False)
    assert missing.returncode == 1 and "no view" in missing.stderr


def test_records_stay_until_the_view_has_them(served):
    fill(served, "held")
    view(served, "pause", "metrics.held")
    write(served, "held", [f"m,host=x v=1 {n}" for n in range(9000, 9100)])
    end = status(served, "metrics.held")["highWatermark"]
    place = confluent_kafka.TopicPartition("metrics.held", 0, end)
    admin = AdminClient({"bootstrap.servers": served.bootstrap})
    (deletion,) = admin.delete_records([place]).values()
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        deletion.result(20)
    assert refused.value.args[0].code() == confluent_kafka.KafkaError.POLICY_VIOLATION
    served.restart(kill=True)
    assert count(served, "held") == 1_100


def test_a_backup_has_the_points(served, new_server, tmp_path):
    fill(served, "kept")
    subprocess.run([str(binary()), "backup", "--data", str(served.data), "--to", str(served.data) + "-backup"],
                   check=True, timeout=60)
    assert write(served, "kept", ["m v=1 99999"]) == 204
    restored = str(served.data) + "-restored"
    subprocess.run([str(binary()), "restore", "--from", str(served.data) + "-backup", "--data", restored], check=True,
                   timeout=60)
    done = subprocess.run([str(binary()), "check", restored], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "sound" in done.stdout, done.stdout
    assert count(new_server(data=restored), "kept") == 1_000
