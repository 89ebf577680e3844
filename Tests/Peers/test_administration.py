"""Administration as real clients do it: configs, partitions, deletion of records; and that it survives kill -9."""

import asyncio
import threading

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions as AioNewPartitions
from aiokafka.admin.config_resource import ConfigResource as AioConfigResource
from aiokafka.admin.config_resource import ConfigResourceType as AioResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition as AioTopicPartition
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource,
                                   NewPartitions, NewTopic, ResourceType)
from kafka.admin import ConfigResource as KafkaConfigResource
from kafka.admin import ConfigResourceType as KafkaResourceType
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition as KafkaTopicPartition

from clients import confluent
from wire import administration, batch
from wire.definitions import Error

TOPIC = 2


def admin(server):
    return AdminClient({"bootstrap.servers": server.bootstrap})


def result(futures):
    assert len(futures) == 1
    return next(iter(futures.values())).result(timeout=30)


def resource(topic, **configs):
    return ConfigResource(ResourceType.TOPIC, topic, set_config=configs or None)


def incremental(topic, *changes):
    entries = [ConfigEntry(name, value, incremental_operation=operation) for name, operation, value in changes]
    return ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)


def code(error):
    return error.value.args[0].name()


def described(connection, topic):
    answer = connection.call(administration.DESCRIBE_CONFIGS, 4, include_synonyms=True, resources=[
        {"resource_type": TOPIC, "resource_name": topic, "configuration_keys": None}]).results[0]
    assert answer.error_code == 0, answer
    return {config.name: config for config in answer.configs}


# confluent-kafka


def test_confluent_describes_and_changes_configs(server, topic):
    client = admin(server)
    result(client.create_topics([NewTopic(topic, 1, config={"retention.ms": "1000"})]))
    configs = result(client.describe_configs([resource(topic)]))
    assert configs["retention.ms"].value == "1000"
    assert configs["retention.ms"].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    assert not configs["retention.ms"].is_default and configs["segment.ms"].is_default
    assert configs["segment.ms"].source == ConfigSource.DEFAULT_CONFIG.value
    assert configs["retention.ms"].synonyms["log.retention.ms"].value == "604800000"
    assert configs["cleanup.policy"].is_read_only

    result(client.incremental_alter_configs([incremental(
        topic, ("retention.ms", AlterConfigOpType.DELETE, None), ("segment.ms", AlterConfigOpType.SET, "5000"),
        ("cleanup.policy", AlterConfigOpType.APPEND, "delete"))]))
    configs = result(client.describe_configs([resource(topic)]))
    assert configs["retention.ms"].value == "604800000" and configs["retention.ms"].is_default
    assert configs["segment.ms"].value == "5000" and configs["cleanup.policy"].value == "delete"

    result(client.alter_configs([resource(topic, **{"flush.ms": "1"})]))
    configs = result(client.describe_configs([resource(topic)]))
    assert configs["flush.ms"].value == "1" and configs["segment.ms"].is_default


def test_confluent_is_told_which_config_is_wrong(server, topic):
    client = admin(server)
    result(client.create_topics([NewTopic(topic, 1)]))
    for name, value in [("no.such.config", "1"), ("retention.ms", "soon"), ("cleanup.policy", "compact")]:
        with pytest.raises(KafkaException) as error:
            result(client.incremental_alter_configs([incremental(topic, (name, AlterConfigOpType.SET, value))]))
        assert code(error) == "INVALID_CONFIG" and name in str(error.value)
    with pytest.raises(KafkaException) as error:
        result(client.describe_configs([resource("no-such-topic")]))
    assert code(error) == "UNKNOWN_TOPIC_OR_PART"
    broker = ConfigResource(ResourceType.BROKER, "1")
    configs = result(client.describe_configs([broker]))
    assert configs["num.partitions"].value == "1" and configs["fetch.max.bytes"].is_read_only
    assert all(config.source > 0 for config in configs.values())
    broker = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[
        ConfigEntry("fetch.max.bytes", "1", incremental_operation=AlterConfigOpType.SET)])
    with pytest.raises(KafkaException) as error:
        result(client.incremental_alter_configs([broker]))
    assert code(error) == "INVALID_REQUEST" and "fetch.max.bytes" in str(error.value)


def test_confluent_sees_a_smaller_batch_limit_at_once(server, topic):
    client = admin(server)
    result(client.create_topics([NewTopic(topic, 1)]))
    result(client.incremental_alter_configs([incremental(
        topic, ("max.message.bytes", AlterConfigOpType.SET, "1000"))]))
    with server.connect() as connection:
        assert connection.produce(topic, [b"x" * 2000]).error_code == Error.MESSAGE_TOO_LARGE
        assert connection.produce(topic, [b"x" * 500]).error_code == 0


def test_confluent_adds_partitions(server, topic):
    client = admin(server)
    result(client.create_topics([NewTopic(topic, 1)]))
    result(client.create_partitions([NewPartitions(topic, 3)], validate_only=True))
    assert len(client.list_topics(topic, timeout=10).topics[topic].partitions) == 1
    result(client.create_partitions([NewPartitions(topic, 3)]))
    assert len(client.list_topics(topic, timeout=10).topics[topic].partitions) == 3
    with pytest.raises(KafkaException) as error:
        result(client.create_partitions([NewPartitions(topic, 3)]))
    assert code(error) == "INVALID_PARTITIONS"
    with server.connect() as connection:
        assert connection.produce(topic, [b"new"], partition=2).error_code == 0


def test_confluent_deletes_records(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic)
        for number in range(10):
            connection.produce(topic, [b"%d" % number])
    client = admin(server)
    assert result(client.delete_records([TopicPartition(topic, 0, 4)])).low_watermark == 4
    assert confluent.watermarks(server.bootstrap, topic, 0) == (4, 10)
    with server.connect() as connection:
        assert [r.value for r in connection.read_all(topic, start=4)] == [b"%d" % n for n in range(4, 10)]
        assert connection.fetch(topic, 3).error_code == Error.OFFSET_OUT_OF_RANGE
    with pytest.raises(KafkaException) as error:
        result(client.delete_records([TopicPartition(topic, 0, 11)]))
    assert code(error) == "OFFSET_OUT_OF_RANGE"
    assert result(client.delete_records([TopicPartition(topic, 0, -1)])).low_watermark == 10


# kafka-python


@pytest.fixture
def kafka_python(server):
    client = KafkaAdminClient(bootstrap_servers=server.bootstrap)
    yield client
    client.close()


def administer_with_kafka_python(client, topic):
    resource = KafkaConfigResource(KafkaResourceType.TOPIC, topic, configs={"retention.ms": "4321"})
    client.alter_configs([resource])
    found = client.describe_configs([KafkaConfigResource(KafkaResourceType.TOPIC, topic)])["topic"][topic]
    assert list(found) == ["retention.ms"] and found["retention.ms"]["value"] == "4321"
    whole = client.describe_configs([KafkaConfigResource(KafkaResourceType.BROKER, "1")], config_filter="all")
    assert whole["broker"]["1"]["num.partitions"]["value"] == "1"
    client.create_partitions({topic: 2})
    deleted = client.delete_records({KafkaTopicPartition(topic, 0): 3})
    assert [one["low_watermark"] for one in deleted.values()] == [3]
    directories = client.describe_log_dirs()
    assert topic in str(directories)


def test_kafka_python_administers(server, topic, kafka_python):
    with server.connect() as connection:
        connection.create_topic(topic)
        for number in range(5):
            connection.produce(topic, [b"%d" % number])
        administer_with_kafka_python(kafka_python, topic)
        configs = described(connection, topic)
        assert configs["retention.ms"].value == "4321" and configs["retention.ms"].config_source == 1
        assert len(connection.metadata(topic).topics[0].partitions) == 2
        assert connection.list_offset(topic, -2).offset == 3


# aiokafka


def test_aiokafka_administers(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic)
        for number in range(5):
            connection.produce(topic, [b"%d" % number])

    async def run():
        client = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
        await client.start()
        try:
            asked = AioConfigResource(AioResourceType.TOPIC, topic, configs={"retention.ms": "77"})
            altered = await client.alter_configs([asked])
            assert [row[0] for one in altered for row in one.resources] == [0]
            found = await client.describe_configs([AioConfigResource(AioResourceType.TOPIC, topic)])
            rows = [row for one in found for entry in one.resources for row in entry[4]]
            assert ("retention.ms", "77") in [(row[0], row[1]) for row in rows]
            made = await client.create_partitions({topic: AioNewPartitions(3)})
            assert [row[1] for row in made.topic_errors] == [0]
            deleted = await client.delete_records({AioTopicPartition(topic, 0): RecordsToDelete(before_offset=2)})
            assert list(deleted.values()) == [2]
        finally:
            await client.close()

    asyncio.run(run())
    with server.connect() as connection:
        assert len(connection.metadata(topic).topics[0].partitions) == 3
        assert connection.list_offset(topic, -2).offset == 2


# What no client shows


def test_a_kill_after_the_answer_takes_nothing_back(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t", partitions=1)
        for number in range(20):
            connection.produce("t", [b"%d" % number])
    for cut in (3, 11, 20):
        client = admin(server)
        assert result(client.delete_records([TopicPartition("t", 0, cut)])).low_watermark == cut
        result(client.incremental_alter_configs([incremental(
            "t", ("retention.ms", AlterConfigOpType.SET, str(10**9 + cut)))]))
        result(client.create_partitions([NewPartitions("t", cut)]))
        server.restart(kill=True)
        with server.connect() as connection:
            assert connection.list_offset("t", -2).offset == cut
            assert connection.list_offset("t", -1).offset == 20
            assert [r.value for r in connection.read_all("t", start=cut)] == [b"%d" % n for n in range(cut, 20)]
            assert described(connection, "t")["retention.ms"].value == str(10**9 + cut)
            assert len(connection.metadata("t").topics[0].partitions) == cut
    assert server.stop() == 0
    assert server.check()[0] == 0


def test_epochs_go_on_after_a_kill(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t")
        connection.produce("t", [b"a", b"b"])
    server.restart(kill=True)

    def end(connection, epoch):
        answer = connection.call(administration.OFFSET_FOR_LEADER_EPOCH, 4, replica_id=-1, topics=[
            {"topic": "t", "partitions": [{"partition": 0, "leader_epoch": epoch}]}]).topics[0].partitions[0]
        return answer.error_code, answer.leader_epoch, answer.end_offset

    with server.connect() as connection:
        connection.produce("t", [b"c"])
        assert [end(connection, epoch) for epoch in (0, 1, 2)] == [(0, 0, 2), (0, 1, 3), (0, -1, -1)]


def test_the_directory_is_described(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic, partitions=2)
        connection.produce(topic, [b"x" * 1000])
        found = connection.call(administration.DESCRIBE_LOG_DIRS, 4, topics=None)
        directory = found.results[0]
        assert (found.error_code, directory.error_code) == (0, 0) and directory.log_dir.startswith("/")
        assert directory.total_bytes > directory.usable_bytes > 0
        sizes = {t.name: [p.partition_size for p in t.partitions] for t in directory.topics}[topic]
        assert 1000 < sizes[0] < 1200 and sizes[1] == 0


def test_producers_are_described(server, topic):
    with server.connect() as connection:
        connection.create_topic(topic)
        producer, epoch = connection.init_producer()
        connection.produce(topic, batch.encode([b"a", b"b"], producer=(producer, epoch), sequence=0))
        found = connection.call(administration.DESCRIBE_PRODUCERS, 0, topics=[
            {"name": topic, "partition_indexes": [0]}]).topics[0].partitions[0].active_producers
        assert [(p.producer_id, p.producer_epoch, p.last_sequence) for p in found] == [(producer, epoch, 1)]


def test_records_are_deleted_while_they_are_read_and_written(server, topic):
    """Readers see whole runs of records from some start on, and never one that is deleted."""
    with server.connect() as connection:
        connection.create_topic(topic, **{"segment.bytes": "2000"})
    stop, failures = threading.Event(), []

    def write():
        with server.connect() as connection:
            number = 0
            while not stop.is_set():
                connection.produce(topic, [b"%d" % number])
                number += 1

    def read():
        with server.connect() as connection:
            while not stop.is_set():
                start = connection.list_offset(topic, -2).offset
                answer = connection.fetch(topic, start)
                if answer.error_code == Error.OFFSET_OUT_OF_RANGE:
                    continue  # Deleted meanwhile.
                found = [(r.offset, r.value) for b in batch.decode_all(answer.records) for r in b.records]
                if any(value != b"%d" % offset for offset, value in found):
                    failures.append(found)

    threads = [threading.Thread(target=target) for target in (write, read)]
    for thread in threads:
        thread.start()
    client, last = admin(server), 0
    for _ in range(30):
        start = result(client.delete_records([TopicPartition(topic, 0, -1)])).low_watermark
        assert start >= last
        last = start
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures and last > 0
