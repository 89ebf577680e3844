"""Configs of the broker that are changed while it runs: what clients see, what they do at once, and a kill -9."""

import subprocess
import time

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from kafka.admin import ConfigResource as KafkaConfigResource
from kafka.admin import ConfigResourceType as KafkaResourceType
from kafka.admin import KafkaAdminClient

from server import binary
from wire import administration, groups
from wire.definitions import FIND_COORDINATOR, Error

BROKER = 4
SET, DELETE, APPEND = 0, 1, 2
DYNAMIC, DYNAMIC_DEFAULT, STATIC, DEFAULT = 2, 3, 4, 5
INVALID_REQUEST = Error.INVALID_REQUEST


def alter(connection, name, *changes, validate_only=False):
    """`changes`: (config, operation, value). An empty name stands for every broker. Returns (code, message)."""
    answer = connection.call(administration.INCREMENTAL_ALTER_CONFIGS, 1, validate_only=validate_only, resources=[{
        "resource_type": BROKER, "resource_name": name, "configs": [
            {"name": config, "config_operation": operation, "value": value} for config, operation, value in changes]}])
    return answer.responses[0].error_code, answer.responses[0].error_message


def change(connection, name, *changes):
    assert alter(connection, name, *changes) == (0, None)


def replace(connection, name, **configs):
    answer = connection.call(administration.ALTER_CONFIGS, 2, validate_only=False, resources=[{
        "resource_type": BROKER, "resource_name": name, "configs": [
            {"name": config.replace("_", "."), "value": value} for config, value in configs.items()]}])
    assert answer.responses[0].error_code == 0, answer


def described(connection, name, kind=BROKER):
    answer = connection.call(administration.DESCRIBE_CONFIGS, 4, include_synonyms=True, include_documentation=True,
                             resources=[{"resource_type": kind, "resource_name": name, "configuration_keys": None}])
    assert answer.results[0].error_code == 0, answer
    return {config.name: config for config in answer.results[0].configs}


def seen(connection, config, name="1", kind=BROKER):
    """(value, source, synonyms as (name, value, source))"""
    found = described(connection, name, kind)[config]
    return found.value, found.config_source, [(s.name, s.value, s.source) for s in found.synonyms]


def test_the_strongest_place_wins_and_all_are_told(new_server, tmp_path):
    file = tmp_path / "millrace.yaml"
    file.write_text("topic-defaults: {retention.ms: 400}\n")
    server = new_server(flags=["--config", file])
    name, built_in = "log.retention.ms", ("log.retention.ms", "604800000", DEFAULT)
    with server.connect() as connection:
        connection.create_topic("t")
        static = (name, "400", STATIC)
        assert seen(connection, name) == ("400", STATIC, [static, built_in])
        change(connection, "", (name, SET, "300"))
        every = (name, "300", DYNAMIC_DEFAULT)
        assert seen(connection, name) == ("300", DYNAMIC_DEFAULT, [every, static, built_in])
        change(connection, "1", (name, SET, "200"))
        this = (name, "200", DYNAMIC)
        assert seen(connection, name) == ("200", DYNAMIC, [this, every, static, built_in])
        assert seen(connection, "retention.ms", "t", 2) == ("200", DYNAMIC, [this, every, static, built_in])
        assert {n: (c.value, c.config_source) for n, c in described(connection, "").items()} == {
            name: ("300", DYNAMIC_DEFAULT)}
    server.restart(kill=True)
    with server.connect() as connection:
        assert seen(connection, name) == ("200", DYNAMIC, [this, every, static, built_in])
        assert seen(connection, "retention.ms", "t", 2)[0] == "200"
        change(connection, "1", (name, DELETE, None))
        assert seen(connection, name) == ("300", DYNAMIC_DEFAULT, [every, static, built_in])
        change(connection, "", (name, DELETE, None))
        assert seen(connection, name) == ("400", STATIC, [static, built_in])
        assert described(connection, "") == {}
    assert server.stop() == 0


def test_every_change_that_was_answered_survives_a_kill(new_server):
    server = new_server()
    for round in range(1, 6):
        with server.connect() as connection:
            change(connection, "1", ("num.partitions", SET, str(round)), ("group.max.size", SET, str(100 + round)))
            if round % 2:
                replace(connection, "", max_connections=str(1000 + round))
            else:
                replace(connection, "")
        server.restart(kill=True)
        with server.connect() as connection:
            assert seen(connection, "num.partitions")[:2] == (str(round), DYNAMIC)
            assert seen(connection, "group.max.size")[:2] == (str(100 + round), DYNAMIC)
            assert seen(connection, "max.connections")[0] == (str(1000 + round) if round % 2 else "4096")
            made = connection.metadata(f"made-{round}", create=True).topics[0]
            assert len(made.partitions) == round
    assert "broker configs that were changed at run time" in server.log_text()


@pytest.mark.parametrize("changes, words", [
    ([("fetch.max.bytes", SET, "1")], "fetch.max.bytes cannot be changed while the broker runs: set max-fetch-bytes"),
    ([("node.id", SET, "2")], "node.id cannot be changed"),
    ([("log.cleanup.policy", SET, "compact")], "log.cleanup.policy cannot be changed"),
    ([("num.partition", SET, "2")], 'unknown broker config "num.partition": did you mean num.partitions?'),
    ([("some.plugin.class", SET, "2")], 'unknown broker config "some.plugin.class"'),
    ([("log.retention.ms", SET, "soon")], 'log.retention.ms is "soon"; it must be a whole number'),
    ([("group.max.size", SET, "0")], "from 1 to 100000"),
    ([("log.retention.ms", APPEND, "1")], "log.retention.ms is no list"),
    ([("group.min.session.timeout.ms", SET, "9000000")], "more than group-max-session-timeout"),
    ([("num.partitions", SET, "7"), ("group.max.size", SET, "x")], "group.max.size"),
])
def test_what_cannot_be_is_refused_whole(server, changes, words):
    with server.connect() as connection:
        before = described(connection, "1")
        for name in ("", "1"):
            code, message = alter(connection, name, *changes)
            assert code == INVALID_REQUEST and words in message, message
        after = described(connection, "1")
        assert {n: c.value for n, c in after.items()} == {n: c.value for n, c in before.items()}
        assert alter(connection, "2", ("num.partitions", SET, "2"))[0] == INVALID_REQUEST


def test_validate_only_changes_nothing(server):
    with server.connect() as connection:
        assert alter(connection, "1", ("num.partitions", SET, "9"), validate_only=True) == (0, None)
        assert alter(connection, "1", ("num.partitions", SET, "x"), validate_only=True)[0] == INVALID_REQUEST
        assert seen(connection, "num.partitions")[0] == "1"


def test_topic_defaults_hold_at_once_for_topics_that_set_none(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("plain", **{"segment.bytes": "1000"})
        connection.create_topic("own", **{"segment.bytes": "1000", "retention.ms": "-1"})
        for topic in ("plain", "own"):
            for number in range(6):
                connection.produce(topic, [b"x" * 400])
        assert connection.produce("plain", [b"x" * 3000]).error_code == 0
        change(connection, "", ("message.max.bytes", SET, "2000"))
        assert connection.produce("plain", [b"x" * 3000]).error_code == Error.MESSAGE_TOO_LARGE
        # A shorter default empties what has no retention of its own, at the next pass, which is soon.
        change(connection, "1", ("log.retention.ms", SET, "1"), ("log.retention.check.interval.ms", SET, "100"))
        deadline = time.monotonic() + 20
        while connection.list_offset("plain", -2).offset == 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert connection.list_offset("own", -2).offset == 0


def test_what_a_listener_and_groups_go_by_changes_at_once(new_server):
    server = new_server()
    with server.connect() as connection:
        change(connection, "", ("auto.create.topics.enable", SET, "false"))
        assert connection.metadata("no", create=True).topics[0].error_code == Error.UNKNOWN_TOPIC_OR_PARTITION
        change(connection, "", ("auto.create.topics.enable", SET, "true"), ("num.partitions", SET, "3"))
        assert len(connection.metadata("yes", create=True).topics[0].partitions) == 3

        def join(group, session=10_000):
            with server.connect() as other:
                return other.call(groups.JOIN_GROUP, 3, group_id=group, session_timeout_ms=session,
                                  rebalance_timeout_ms=10_000, member_id="", protocol_type="consumer",
                                  protocols=[{"name": "range", "metadata": b""}]).error_code

        assert connection.call(FIND_COORDINATOR, 4, coordinator_keys=["g"]).coordinators[0].error_code == 0
        change(connection, "1", ("group.initial.rebalance.delay.ms", SET, "0"))
        assert join("g") == 0
        change(connection, "1", ("group.max.size", SET, "1"))
        assert join("g") == Error.GROUP_MAX_SIZE_REACHED
        assert join("h", session=2_000) == Error.INVALID_SESSION_TIMEOUT
        change(connection, "1", ("group.min.session.timeout.ms", SET, "1000"))
        assert join("h", session=2_000) == 0

        change(connection, "1", ("max.connections", SET, "1"))
        with server.connect() as second:
            assert second.is_closed()
        change(connection, "1", ("max.connections", DELETE, None))
        with server.connect() as second:
            assert second.metadata("yes").topics[0].error_code == 0


def test_the_reserve_of_the_disk_changes_at_once(new_server):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic("t")
        before = seen(connection, "millrace.disk.reserve.bytes")
        assert before[1] == DEFAULT and int(before[0]) > 0
        change(connection, "1", ("millrace.disk.reserve.bytes", SET, str(1 << 50)))
        assert connection.produce("t", [b"x"]).error_code == 56  # KAFKA_STORAGE_ERROR
        assert server.metric("millrace_disk_refusing_writes") == 1
        change(connection, "1", ("millrace.disk.reserve.bytes", DELETE, None))
        assert connection.produce("t", [b"x"]).error_code == 0
        assert seen(connection, "millrace.disk.reserve.bytes") == before


def test_the_log_level_changes_at_once(new_server):
    server = new_server(flags=["--log-level", "error"])
    with server.connect() as connection:
        change(connection, "1", ("num.partitions", SET, "2"))
        assert "level=info" not in server.log_text()
        change(connection, "1", ("millrace.log.level", SET, "info"))
        assert "level=info" in server.log_text() and "configs=millrace.log.level" in server.log_text()


def test_confluent_kafka_changes_the_broker(new_server):
    server = new_server()
    client = AdminClient({"bootstrap.servers": server.bootstrap})

    def change_one(name, operation, value):
        resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[
            ConfigEntry(name, value, incremental_operation=operation)])
        next(iter(client.incremental_alter_configs([resource]).values())).result(timeout=30)

    def config(name):
        found = client.describe_configs([ConfigResource(ResourceType.BROKER, "1")])
        return next(iter(found.values())).result(timeout=30)[name]

    change_one("log.retention.ms", AlterConfigOpType.SET, "777")
    found = config("log.retention.ms")
    assert (found.value, found.source, found.is_read_only, found.is_default) == ("777", DYNAMIC, False, False)
    with pytest.raises(KafkaException) as error:
        change_one("socket.request.max.bytes", AlterConfigOpType.SET, "1")
    assert error.value.args[0].name() == "INVALID_REQUEST" and "max-request-bytes" in str(error.value)
    change_one("log.retention.ms", AlterConfigOpType.DELETE, None)
    assert config("log.retention.ms").value == "604800000"


def test_kafka_python_changes_the_broker(new_server):
    server = new_server()
    client = KafkaAdminClient(bootstrap_servers=server.bootstrap)
    try:
        client.alter_configs([KafkaConfigResource(KafkaResourceType.BROKER, "1", configs={"group.max.size": "12"})])
        asked = KafkaConfigResource(KafkaResourceType.BROKER, "1")
        found = client.describe_configs([asked], config_filter="all")["broker"]["1"]
        assert found["group.max.size"]["value"] == "12"
    finally:
        client.close()
    with server.connect() as connection:
        assert seen(connection, "group.max.size")[:2] == ("12", DYNAMIC)


def test_a_change_that_locks_everybody_out_can_be_taken_back(new_server):
    server = new_server()

    def config(*arguments):
        return subprocess.run([str(binary()), "config", "--bootstrap", server.bootstrap, "--timeout", "2s", *arguments],
                              capture_output=True, text=True, timeout=60)

    assert config("--set", "max.connections=1").returncode == 0
    server.restart()
    assert config("--delete", "max.connections").returncode == 1
    server.stop()
    server.flags.append("--ignore-stored-configs")
    server.start()
    assert "are ignored" in server.log_text() and "configs=max.connections" in server.log_text()
    assert config("--delete", "max.connections").returncode == 0
    server.stop()
    server.flags.remove("--ignore-stored-configs")
    server.start()
    assert config().returncode == 0


def test_a_backup_keeps_them(new_server, tmp_path):
    server = new_server()
    with server.connect() as connection:
        change(connection, "1", ("num.partitions", SET, "3"))
        change(connection, "", ("log.retention.ms", SET, "77"))
    backup, restored = server.directory / "backup", server.directory / "restored"
    for arguments in (["backup", "--data", server.data, "--to", backup],
                      ["restore", "--from", backup, "--data", restored]):
        subprocess.run([str(binary()), *map(str, arguments)], capture_output=True, timeout=60, check=True)
    server.stop()
    server.data = restored
    server.start()
    with server.connect() as connection:
        assert seen(connection, "num.partitions")[:2] == ("3", DYNAMIC)
        assert seen(connection, "log.retention.ms")[:2] == ("77", DYNAMIC_DEFAULT)


def test_a_stored_config_that_fits_no_more_is_passed_over(new_server):
    server = new_server()
    with server.connect() as connection:
        change(connection, "1", ("group.min.session.timeout.ms", SET, "9000"), ("num.partitions", SET, "2"))
    server.stop()
    server.flags += ["--group-max-session-timeout", "8000"]
    server.start()
    with server.connect() as connection:
        assert seen(connection, "group.min.session.timeout.ms")[0] == "6000"
        assert seen(connection, "num.partitions")[0] == "2"
    assert "a stored broker config is passed over" in server.log_text()
