"""A disk that is full at each moment: whatever writes is answered, holds if it succeeded, and works again with room."""

import time

import pytest

from test_disk_full import small_disk, mounting  # noqa: F401  (fixtures)
from wire.administration import CREATE_PARTITIONS, DELETE_RECORDS, INCREMENTAL_ALTER_CONFIGS
from wire.definitions import CREATE_TOPICS, DELETE_TOPICS, FIND_COORDINATOR, INIT_PRODUCER_ID, Error
from wire.groups import DELETE_GROUPS, JOIN_GROUP, OFFSET_COMMIT, OFFSET_FETCH

TOPIC, BROKER = 2, 4


def commit(connection, offset, group="g"):
    place = {"partition_index": 0, "committed_offset": offset, "committed_metadata": "m" * 4_000}
    body = connection.call(OFFSET_COMMIT, 6, group_id=group, generation_id_or_member_epoch=-1, member_id="",
                           topics=[{"name": "other", "partitions": [place]}])
    return body.topics[0].partitions[0].error_code


def committed(connection):
    body = connection.call(OFFSET_FETCH, 5, group_id="g", topics=[{"name": "other", "partition_indexes": [0]}])
    return body.topics[0].partitions[0].committed_offset


def alter(connection, kind, name, config, value):
    changes = [{"name": config, "config_operation": 0, "value": value}]
    return connection.call(INCREMENTAL_ALTER_CONFIGS, 1, resources=[
        {"resource_type": kind, "resource_name": name, "configs": changes}]).responses[0].error_code


def join(connection):
    return connection.call(JOIN_GROUP, 3, group_id="j", session_timeout_ms=10_000, rebalance_timeout_ms=10_000,
                           member_id="", protocol_type="consumer",
                           protocols=[{"name": "range", "metadata": b""}]).error_code


def partitions(connection, name):
    return len(connection.metadata(name, create=False).topics[0].partitions)


def start_of(connection):
    return connection.list_offset("other", -2).offset


# What is tried, and how one sees afterwards whether it holds: (write, seen, its value after a success).
MOMENTS = {
    "a commit of offsets": (lambda c: commit(c, 7), committed, 7),
    "more partitions": (lambda c: c.call(CREATE_PARTITIONS, 2, topics=[
        {"name": "other", "count": 5, "assignments": None}]).results[0].error_code, lambda c: partitions(c, "other"), 5),
    "a new topic": (lambda c: c.call(CREATE_TOPICS, 7, topics=[
        {"name": "new", "num_partitions": 3, "replication_factor": 1}]).topics[0].error_code,
        lambda c: partitions(c, "new"), 3),
    "records deleted": (lambda c: c.call(DELETE_RECORDS, 1, topics=[
        {"name": "other", "partitions": [{"partition_index": 0, "offset": 2}]}]).topics[0].partitions[0].error_code,
        start_of, 2),
    "a topic's config": (lambda c: alter(c, TOPIC, "other", "retention.ms", "777"), None, None),
    "a broker's config": (lambda c: alter(c, BROKER, "1", "num.partitions", "3"), None, None),
    "a producer id": (lambda c: c.call(INIT_PRODUCER_ID, 4, transaction_timeout_ms=60000).error_code, None, None),
    "a member": (join, None, None),
    "a group deleted": (lambda c: c.call(DELETE_GROUPS, 1, groups_names=["gone"]).results[0].error_code, None, None),
    "a topic deleted": (lambda c: c.call(DELETE_TOPICS, 5, topic_names=["doomed"]).responses[0].error_code,
                        lambda c: partitions(c, "doomed"), 0),
}


def prepare(connection):
    assert connection.call(FIND_COORDINATOR, 4, coordinator_keys=["g"]).coordinators[0].error_code == 0
    deadline = time.monotonic() + 20
    while commit(connection, 1) or commit(connection, 1, "gone"):
        assert time.monotonic() < deadline
    connection.create_topic("doomed", 2)
    assert connection.produce("other", [b"a", b"b", b"c"]).error_code == 0
    assert connection.produce("doomed", [b"a"]).error_code == 0


def to_the_last_byte(path):
    with open(path, "wb", buffering=0) as rest:
        for size in (4096, 512, 1):
            try:
                while rest.write(b"x" * size):
                    pass
            except OSError:
                pass


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_disk_is_full_at_this_moment(small_disk, moment):  # noqa: F811
    write, seen, wanted = MOMENTS[moment]
    server = small_disk.server
    with server.connect() as connection:
        prepare(connection)
        before = seen and seen(connection)
        small_disk.fill(connection)
        to_the_last_byte(small_disk.filler.parent / "rest")
        # A join waits for company.
        codes = [write(connection) for _ in range(1 if write is join else 3)]
        # Retriable, or done; a deletion that is repeated finds nothing, and what is there already is refused.
        done = 0 in codes
        assert done or set(codes) == {Error.STORAGE_ERROR}, (moment, codes)
        if seen:
            # A deletion of records that cannot be kept for good may hold until a restart.
            assert seen(connection) in ((wanted,) if done else (before, wanted)[:1 + (seen is start_of)]), (moment, codes)
    small_disk.assert_intact()
    try:
        server.restart(kill=True)
    except RuntimeError:
        assert any(word in server.log_text().lower() for word in ("no space", "enospc", "nospace"))
        small_disk.make_room()
        server.start()
    small_disk.assert_intact()
    if seen and done:
        with server.connect() as connection:
            assert settled(connection, seen, wanted) == wanted, (moment, codes)
    (small_disk.filler.parent / "rest").unlink()
    if small_disk.filler.exists():
        small_disk.make_room()
    deadline = time.monotonic() + 30
    with server.connect() as connection:
        while small_disk.produce(connection):
            assert time.monotonic() < deadline, "no write succeeded although there is room"
            time.sleep(0.1)
        if not done:
            codes = []
            while 0 not in codes:
                assert time.monotonic() < deadline, (moment, codes)
                codes.append(write(connection))
                time.sleep(0.1)
            assert not seen or settled(connection, seen, wanted) == wanted
    small_disk.assert_intact()
    assert server.stop() == 0
    status, output = server.check()
    assert status == 0, output


def settled(connection, seen, wanted):
    """What is seen once the coordinator has read its groups after a start."""
    deadline = time.monotonic() + 20
    while seen(connection) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen(connection)
