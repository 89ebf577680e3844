"""`millrace consume --group` and `millrace group`, beside real clients in the same group."""

import json
import signal
import subprocess
import time

from clients import Message, Options, confluent
from confluent_kafka import Consumer
from server import binary


def run(server, *words, check=True):
    done = subprocess.run(
        [str(binary()), *words, "--bootstrap", server.bootstrap], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done


def lines(server, *words):
    return [json.loads(line) for line in run(server, *words, "--json").stdout.splitlines()]


def describe(server, group):
    return lines(server, "group", "describe", group)[0]


def fill(server, topic, count, partitions=3):
    run(server, "topic", "create", topic, "--partitions", str(partitions))
    confluent.produce(server.bootstrap, topic, [Message(b"%d" % n) for n in range(count)], Options())


def test_a_group_goes_on_where_it_stopped_and_tells_its_lag(server):
    fill(server, "orders", 300)
    first = run(server, "consume", "orders", "--group", "billing", "--count", "40").stdout.split()
    assert len(first) == 40
    assert {"group": "billing", "state": "Empty", "protocol": "consumer"} in lines(server, "group", "list")
    assert describe(server, "billing")["lag"] >= 300 - 40 - 200, "partitions of which nothing was read may have no offset"
    rest = run(server, "consume", "orders", "--group", "billing").stdout.split()
    assert sorted(int(value) for value in first + rest) == list(range(300))
    found = describe(server, "billing")
    assert found["lag"] == 0 and found["members"] == []
    assert sum(place["committed"] for place in found["partitions"]) == 300


def test_resetting_needs_an_empty_group_and_deleting_forgets_it(server):
    fill(server, "events", 100)
    run(server, "consume", "events", "--group", "audit")
    dry = lines(server, "group", "reset", "audit", "--topic", "events", "--to", "beginning", "--dry-run")
    assert all(place["is"] == 0 for place in dry)
    assert describe(server, "audit")["lag"] == 0, "a dry run changes nothing"
    run(server, "group", "reset", "audit", "--topic", "events", "--to", "beginning")
    assert describe(server, "audit")["lag"] == 100
    reader = subprocess.Popen(
        [str(binary()), "consume", "events", "--group", "audit", "--follow", "--bootstrap", server.bootstrap],
        stdout=subprocess.PIPE, text=True)
    try:
        assert len([reader.stdout.readline() for _ in range(100)]) == 100
        refused = run(server, "group", "reset", "audit", "--topic", "events", "--to", "end", check=False)
        assert refused.returncode == 1 and "group audit has members" in refused.stderr
        assert "hint: stop them first; `millrace group describe audit` names them" in refused.stderr
        refused = run(server, "group", "delete", "audit", check=False)
        assert refused.returncode == 1 and "group audit has members" in refused.stderr
    finally:
        reader.send_signal(signal.SIGINT)
        assert reader.wait(30) == 0
    assert describe(server, "audit")["lag"] == 0, "what was printed is committed when it is stopped"
    run(server, "group", "delete", "audit")
    assert "audit" not in [group["group"] for group in lines(server, "group", "list")]
    assert run(server, "group", "describe", "audit", check=False).returncode == 1


def test_a_member_that_is_stopped_leaves_also_when_it_is_told_so_twice(server):
    """`timeout` and others signal the process and its group: the second signal is the first once more."""
    fill(server, "twice", 10)
    reader = subprocess.Popen(
        [str(binary()), "consume", "twice", "--group", "stopped", "--follow", "--bootstrap", server.bootstrap],
        stdout=subprocess.PIPE, text=True)
    assert len([reader.stdout.readline() for _ in range(10)]) == 10
    for _ in range(3):
        reader.send_signal(signal.SIGTERM)
        time.sleep(0.002)
    assert reader.wait(30) == 0
    found = describe(server, "stopped")
    assert (found["state"], found["members"], found["lag"]) == ("Empty", [], 0)


def test_members_of_other_kinds_share_the_partitions(server):
    fill(server, "shared", 100, partitions=4)
    peer = Consumer({
        "bootstrap.servers": server.bootstrap, "group.id": "mixed", "auto.offset.reset": "earliest",
        "partition.assignment.strategy": "range,roundrobin", "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 500})
    peer.subscribe(["shared"])
    reader = subprocess.Popen(
        [str(binary()), "consume", "shared", "--group", "mixed", "--follow", "--bootstrap", server.bootstrap],
        stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 40
        shares = []
        while shares != [2, 2]:
            assert time.monotonic() < deadline, f"the partitions were not shared: {shares}"
            peer.poll(0.2)
            owners = [place["member"] for place in describe(server, "mixed")["partitions"] if place["member"]]
            shares = sorted(owners.count(owner) for owner in set(owners))
        reader.send_signal(signal.SIGINT)
        assert reader.wait(30) == 0
        while len(peer.assignment()) != 4:
            assert time.monotonic() < deadline, "the member that left still has partitions"
            peer.poll(0.2)
    finally:
        reader.kill()
        peer.close()
