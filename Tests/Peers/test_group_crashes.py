"""Consumer groups across `kill -9` of the broker in every phase, and in large numbers, over the wire."""

import pytest

from clients import Message, confluent
from clients.members import Members, wait_for
from wire.definitions import FIND_COORDINATOR
from wire.groups import (DELETE_GROUPS, DESCRIBE_GROUPS, HEARTBEAT, JOIN_GROUP, LIST_GROUPS, OFFSET_COMMIT,
                         OFFSET_FETCH, SYNC_GROUP)

FLAGS = ["--group-initial-rebalance-delay", "0", "--group-min-session-timeout", "500"]


def coordinator(connection):
    body = connection.call(FIND_COORDINATOR, 4, coordinator_keys=["g"])
    assert body.coordinators[0].error_code == 0


def join_fields(group, member="", session=10_000):
    return {"group_id": group, "session_timeout_ms": session, "rebalance_timeout_ms": 10_000, "member_id": member,
            "protocol_type": "test", "protocols": [{"name": "range", "metadata": b"m"}]}


def join(connection, group, member=""):
    """A dynamic member in the old way: the first join lets it in."""
    return connection.call(JOIN_GROUP, 3, **join_fields(group, member))


def commit(connection, group, offset, generation=-1, member="", topic="t"):
    body = connection.call(OFFSET_COMMIT, 6, group_id=group, generation_id_or_member_epoch=generation,
                           member_id=member, topics=[{"name": topic, "partitions": [
                               {"partition_index": 0, "committed_offset": offset}]}])
    return body.topics[0].partitions[0].error_code


def committed(connection, group, topic="t"):
    body = connection.call(OFFSET_FETCH, 5, group_id=group, topics=[{"name": topic, "partition_indexes": [0]}])
    return body.topics[0].partitions[0].committed_offset


def state(connection, group):
    return connection.call(DESCRIBE_GROUPS, 4, groups=[group]).groups[0].group_state


@pytest.mark.parametrize("phase", ["Empty", "PreparingRebalance", "CompletingRebalance", "Stable"])
def test_a_killed_broker_keeps_offsets_and_groups(new_server, phase):
    server = new_server(flags=FLAGS)
    with server.connect() as one, server.connect() as other:
        one.create_topic("t")
        coordinator(one)
        assert commit(one, "g", 41) == 0
        generation, member = -1, ""
        if phase != "Empty":
            joined = join(one, "g")
            generation, member = joined.generation_id, joined.member_id
            assert joined.error_code == 0
        if phase in ("Stable", "PreparingRebalance"):
            synced = one.call(SYNC_GROUP, 2, group_id="g", generation_id=generation, member_id=member,
                              assignments=[{"member_id": member, "assignment": b"work"}])
            assert synced.error_code == 0
            assert commit(one, "g", 42, generation, member) == 0
        if phase == "PreparingRebalance":
            other.send(JOIN_GROUP, 3, **join_fields("g"))
            wait_for(lambda: state(one, "g") == phase)
        assert state(one, "g") == phase
    server.restart()
    with server.connect() as one:
        assert committed(one, "g") == (42 if phase in ("Stable", "PreparingRebalance") else 41)
        beat = one.call(HEARTBEAT, 2, group_id="g", generation_id=generation, member_id=member or "m")
        if phase in ("Stable", "PreparingRebalance"):
            # What was agreed on is remembered: the member goes on as if nothing had happened.
            assert beat.error_code == 0 and state(one, "g") == "Stable"
            assert commit(one, "g", 43, generation, member) == 0
            assert committed(one, "g") == 43
        else:
            assert beat.error_code != 0
            again = join(one, "g")
            assert again.error_code == 0 and again.generation_id > 0


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_members_survive_a_killed_broker(new_server, topic, strategy):
    """Every record is read, and the members find each other again."""
    server, partitions = new_server(flags=FLAGS), 4
    confluent.create_topics(server.bootstrap, {topic: partitions})
    members, sent = Members(), 0
    two = [members.join("confluent-kafka", server.bootstrap, "g", [topic], strategy=strategy) for _ in range(2)]

    def are_split():
        return [len(one.assignment) for one in two] == [2, 2]

    try:
        for _ in range(3):
            wait_for(are_split, what="sharing")
            confluent.produce(server.bootstrap, topic, [
                Message(b"%d" % n, partition=n % partitions) for n in range(sent, sent + 100)])
            sent += 100
            wait_for(lambda: {int(row[3]) for one in two for row in one.rows} == set(range(sent)), what="reading")
            server.restart()
        wait_for(are_split, what="sharing again")
        assert all(one.error is None for one in two)
        offsets = [0] * partitions
        for one in two:
            for _, partition, offset, _ in one.rows:
                offsets[partition] = max(offsets[partition], offset + 1)
        assert offsets == [sent // partitions] * partitions
    finally:
        members.end()


def test_a_group_of_a_thousand(new_server):
    server = new_server(flags=["--group-initial-rebalance-delay", "2000", "--group-max-size", "1000"])
    connections = [server.connect(60) for _ in range(5)]
    coordinator(connections[0])
    for _ in range(200):
        for connection in connections:
            connection.send(JOIN_GROUP, 3, **join_fields("big", session=60_000))
    joined = [(connection, connection.receive(JOIN_GROUP, 3)) for _ in range(200) for connection in connections]
    assert {(body.error_code, body.generation_id) for _, body in joined} == {(0, 1)}
    leader = next(body for _, body in joined if body.members)
    assert len(leader.members) == 1000 and len({body.member_id for _, body in joined}) == 1000
    assert join(connections[0], "big").error_code == 81, "GROUP_MAX_SIZE_REACHED"
    work = [{"member_id": body.member_id, "assignment": body.member_id.encode()} for _, body in joined]
    for connection, body in joined:
        connection.send(SYNC_GROUP, 2, group_id="big", generation_id=1, member_id=body.member_id,
                        assignments=work if body is leader else [])
    for connection, body in joined:
        synced = connection.receive(SYNC_GROUP, 2)
        assert (synced.error_code, synced.assignment) == (0, body.member_id.encode())
    assert state(connections[0], "big") == "Stable"
    assert server.metric("millrace_groups", state="Stable") == 1
    for connection in connections:
        connection.close()


def test_ten_thousand_groups(new_server):
    count, server = 10_000, new_server(flags=FLAGS)
    names = [f"group-{n:05}" for n in range(count)]
    with server.connect(60) as connection:
        connection.create_topic("t")
        coordinator(connection)
        for start in range(0, count, 200):
            for n in range(start, start + 200):
                connection.send(OFFSET_COMMIT, 6, group_id=names[n], topics=[{"name": "t", "partitions": [
                    {"partition_index": 0, "committed_offset": n}]}])
            for _ in range(200):
                assert connection.receive(OFFSET_COMMIT, 6).topics[0].partitions[0].error_code == 0
    server.restart()
    with server.connect(60) as connection:
        assert [one.group_id for one in connection.call(LIST_GROUPS, 2).groups] == names
        assert [committed(connection, names[n]) for n in range(0, count, 500)] == list(range(0, count, 500))
        metrics = server.metrics()
        assert sum(name.startswith("millrace_group_lag{") for name in metrics) == 5000
        assert metrics["millrace_group_lag_untold_partitions"] == 5000
        assert server.resident_bytes() < 200 << 20
        results = connection.call(DELETE_GROUPS, 1, groups_names=names).results
        assert {one.error_code for one in results} == {0}
        assert connection.call(LIST_GROUPS, 2).groups == []
    server.restart()
    with server.connect() as connection:
        assert connection.call(LIST_GROUPS, 2).groups == []
