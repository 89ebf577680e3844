"""Consumer groups, by real clients: members that come and go, every strategy, static members, offsets, lag, admin."""

import itertools
import time

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka import KafkaAdminClient

from clients import Message, kcat
from clients import confluent
from clients.members import NEW, Members, wait_for
from server import Server, data_directory
from wire.groups import DESCRIBE_GROUPS, OFFSET_FETCH

FLAGS = ["--group-initial-rebalance-delay", "0", "--group-min-session-timeout", "500"]
PARTITIONS = 6
STRATEGIES = [(client, strategy) for client, strategies in {
    "confluent-kafka": ("range", "roundrobin", "cooperative-sticky"),
    "kafka-python": ("range", "roundrobin", "cooperative-sticky"), "aiokafka": ("range", "roundrobin"),
    "confluent-kafka-2023": ("cooperative-sticky",), "confluent-kafka-2024": ("range",),
    "kafka-python-2023": ("range",), "kafka-python-2024": ("roundrobin",), "aiokafka-2023": ("range",),
    "aiokafka-2024": ("roundrobin",)}.items() for strategy in strategies]
_groups = itertools.count()


@pytest.fixture(scope="module")
def groups_server():
    """A server without the initial delay, so that rebalances take milliseconds."""
    server = Server(data_directory("groups"), flags=FLAGS)
    server.start()
    yield server
    assert server.stop() == 0, server.log_tail()
    status, output = server.check()
    assert status == 0, output
    server.discard()


@pytest.fixture
def group():
    return f"group-{next(_groups)}"


@pytest.fixture
def members():
    made = Members()
    yield made
    made.end()


@pytest.fixture
def filled(groups_server, topic):
    """A topic with a hundred records in each partition."""
    confluent.create_topics(groups_server.bootstrap, {topic: PARTITIONS})
    fill(groups_server, topic, 0)
    return topic


def fill(server, topic, start, count=600):
    confluent.produce(server.bootstrap, topic,
                      [Message(b"%d" % n, partition=n % PARTITIONS) for n in range(start, start + count)])


def committed(server, group, topic):
    """The group's offsets of a topic by partition, read over the wire."""
    with server.connect() as connection:
        body = connection.call(OFFSET_FETCH, 8, groups=[{"group_id": group, "topics": [
            {"name": topic, "partition_indexes": list(range(PARTITIONS))}]}])
    return [one.committed_offset for one in body.groups[0].topics[0].partitions]


def described(server, group):
    with server.connect() as connection:
        return connection.call(DESCRIBE_GROUPS, 5, groups=[group]).groups[0]


def lags(server, group, topic):
    return {name.split('partition="')[1].split('"')[0]: value for name, value in server.metrics().items()
            if name.startswith(f'millrace_group_lag{{group="{group}",topic="{topic}"')}


def values(*members):
    for one in members:
        assert one.error is None, one.error
    return sorted({int(row[3]) for one in members for row in one.rows})


def are_split(*members):
    """Whether every partition is somebody's, nobody's twice, and everybody has as many."""
    for one in members:
        assert one.error is None, one.error
    sizes = [len(one.assignment) for one in members]
    every = {place for one in members for place in one.assignment}
    return sum(sizes) == len(every) == PARTITIONS and len(set(sizes)) == 1


def settled(value, seconds=0.5):
    """A value that has not changed for some time: some clients rebalance once more when they see the topic."""
    found, since = value(), time.monotonic()
    while time.monotonic() < since + seconds:
        time.sleep(0.05)
        now = value()
        if now != found:
            found, since = now, time.monotonic()
    return found


# Members that come and go

@pytest.mark.parametrize("client,strategy", STRATEGIES, ids=lambda v: v)
def test_members_come_and_go(groups_server, filled, group, members, client, strategy):
    server = groups_server
    one = members.join(client, server.bootstrap, group, [filled], strategy=strategy)
    wait_for(lambda: values(one) == list(range(600)), what="reading it all alone")
    two = members.join(client, server.bootstrap, group, [filled], strategy=strategy)
    wait_for(lambda: are_split(one, two), what="sharing")
    fill(server, filled, 600)
    wait_for(lambda: values(one, two) == list(range(1200)), what="reading it all together")
    assert values(two) and set(values(two)) <= set(range(600, 1200)), "what was committed is not read again"
    wait_for(lambda: committed(server, group, filled) == [200] * PARTITIONS, what="committing")
    one.leave()
    wait_for(lambda: are_split(two), what="taking over")
    fill(server, filled, 1200)
    wait_for(lambda: values(one, two) == list(range(1800)), what="reading on alone")
    two.leave()
    wait_for(lambda: described(server, group).group_state == "Empty", what="an empty group")
    assert committed(server, group, filled) == [300] * PARTITIONS
    assert set(lags(server, group, filled).values()) == {0}


def test_different_clients_share_a_group(groups_server, filled, group, members):
    all_of_them = [members.join(client, groups_server.bootstrap, group, [filled]) for client in NEW]
    wait_for(lambda: are_split(*all_of_them), what="sharing")
    fill(groups_server, filled, 600)
    wait_for(lambda: values(*all_of_them) == list(range(1200)), what="reading it all")
    wait_for(lambda: committed(groups_server, group, filled) == [200] * PARTITIONS, what="committing")


def test_who_vanishes_is_replaced_after_its_session(groups_server, filled, group, members):
    one, two = (members.join("confluent-kafka", groups_server.bootstrap, group, [filled], session=1000)
                for _ in range(2))
    wait_for(lambda: are_split(one, two), what="sharing")
    one.kill()
    wait_for(lambda: are_split(two), what="taking over")
    fill(groups_server, filled, 600)
    wait_for(lambda: committed(groups_server, group, filled) == [200] * PARTITIONS, what="reading it all")


@pytest.mark.parametrize("client", ["confluent-kafka", "kafka-python", "aiokafka"])
def test_a_static_member_comes_back_without_a_rebalance(new_server, topic, group, members, client):
    server = new_server(flags=FLAGS)
    confluent.create_topics(server.bootstrap, {topic: PARTITIONS})
    one, two = (members.join(client, server.bootstrap, group, [topic], instance=name) for name in "ab")
    wait_for(lambda: are_split(one, two), what="sharing")
    before = {m.group_instance_id: m.member_assignment for m in described(server, group).members}
    rebalances = settled(lambda: server.metric("millrace_group_rebalances_total"))
    one.kill()
    again = members.join(client, server.bootstrap, group, [topic], instance="a")
    wait_for(lambda: are_split(again, two), what="coming back")
    assert {m.group_instance_id: m.member_assignment for m in described(server, group).members} == before
    assert server.metric("millrace_group_rebalances_total") == rebalances


# kcat

def test_kcat_reads_through_a_group_and_goes_on_where_it_was(groups_server, filled, group):
    def read():
        return sorted(map(int, kcat.run(
            groups_server.bootstrap, "-G", group, "-q", "-e", "-X", "auto.offset.reset=earliest",
            "-X", "fetch.wait.max.ms=20", filled).split()))

    assert read() == list(range(600))
    assert committed(groups_server, group, filled) == [100] * PARTITIONS
    fill(groups_server, filled, 600, 60)
    assert read() == list(range(600, 660))


# Offsets

def test_offsets_are_committed_reset_and_told_like_the_clients_count(groups_server, filled, group):
    """Lag is what a client computes: the high watermark less the committed offset."""
    server = groups_server
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": group, "enable.auto.commit": False})
    wanted = [TopicPartition(filled, partition, 10 * partition, "note") for partition in range(PARTITIONS - 1)]
    consumer.commit(offsets=wanted, asynchronous=False)
    names = [TopicPartition(filled, partition) for partition in range(PARTITIONS)]
    found = consumer.committed(names, timeout=20)
    assert [one.offset for one in found] == [0, 10, 20, 30, 40, -1001]
    assert [one.metadata for one in found[:-1]] == ["note"] * (PARTITIONS - 1)
    theirs = {str(one.partition): consumer.get_watermark_offsets(one, timeout=20)[1] - one.offset
              for one in found if one.offset >= 0}
    assert lags(server, group, filled) == theirs == {"0": 100, "1": 90, "2": 80, "3": 70, "4": 60}

    admin = AdminClient({"bootstrap.servers": server.bootstrap})
    reset = [TopicPartition(filled, partition, 95) for partition in range(PARTITIONS)]
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, reset)])[group].result(20)
    assert committed(server, group, filled) == [95] * PARTITIONS
    assert lags(server, group, filled) == {str(partition): 5 for partition in range(PARTITIONS)}
    consumer.close()


def test_offsets_beyond_the_end_are_kept_and_have_no_lag(groups_server, filled, group):
    consumer = Consumer({"bootstrap.servers": groups_server.bootstrap, "group.id": group})
    consumer.commit(offsets=[TopicPartition(filled, 0, 1 << 40)], asynchronous=False)
    assert committed(groups_server, group, filled)[0] == 1 << 40
    assert lags(groups_server, group, filled) == {"0": 0}
    consumer.close()


# Admin

def test_confluent_kafka_administers_groups(groups_server, filled, group, members):
    admin = AdminClient({"bootstrap.servers": groups_server.bootstrap})
    one = members.join("confluent-kafka", groups_server.bootstrap, group, [filled])
    wait_for(lambda: are_split(one), what="joining")
    listed = {found.group_id: found.state for found in admin.list_consumer_groups().result(20).valid}
    assert listed[group] == ConsumerGroupState.STABLE
    empty = admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(20).valid
    assert group not in {found.group_id for found in empty}
    told = admin.describe_consumer_groups([group])[group].result(20)
    assert (told.state, told.partition_assignor, len(told.members)) == (ConsumerGroupState.STABLE, "range", 1)
    assert {(p.topic, p.partition) for p in told.members[0].assignment.topic_partitions} == set(one.assignment)
    with pytest.raises(Exception, match="(?i)not.?empty"):
        admin.delete_consumer_groups([group])[group].result(20)
    wait_for(lambda: committed(groups_server, group, filled) == [100] * PARTITIONS, what="committing")
    one.leave()
    offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(20)
    assert {p.partition for p in offsets.topic_partitions} == set(range(PARTITIONS))
    admin.delete_consumer_groups([group])[group].result(20)
    assert group not in {found.group_id for found in admin.list_consumer_groups().result(20).valid}
    assert committed(groups_server, group, filled) == [-1] * PARTITIONS
    with pytest.raises(Exception, match="(?i)group.*not.*(found|exist)"):
        admin.delete_consumer_groups([group])[group].result(20)


def test_kafka_python_administers_groups(groups_server, filled, group):
    consumer = Consumer({"bootstrap.servers": groups_server.bootstrap, "group.id": group})
    consumer.commit(offsets=[TopicPartition(filled, 0, 7), TopicPartition(filled, 1, 8)], asynchronous=False)
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=groups_server.bootstrap)
    assert group in str(admin.list_groups())
    assert "Empty" in str(admin.describe_groups([group]))
    assert {p.partition: o.offset for p, o in admin.list_group_offsets([group])[group].items()} == {0: 7, 1: 8}
    place = next(p for p in admin.list_group_offsets([group])[group] if p.partition == 1)
    admin.delete_group_offsets(group, [place])
    assert committed(groups_server, group, filled)[:2] == [7, -1]
    admin.delete_groups([group])
    assert group not in str(admin.list_groups())
    admin.close()
