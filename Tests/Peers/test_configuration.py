"""The configuration file, the environment and flags, on the real binary."""

import json
import os
import subprocess

import pytest

from server import binary
from wire import administration


def millrace(*arguments, **environment):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    return subprocess.run([str(binary()), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**clean, **environment})


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "millrace.yaml"
        path.write_text(text)
        return path
    return write


def test_mistakes_are_told_all_at_once_and_nothing_starts(write, tmp_path):
    data = tmp_path / "data"
    path = write(f"data: {data}\nkafka-listn: 127.0.0.1:0\nmax-connections: many\ntopic-defaults:\n  retention.mss: 1\n")
    expected = [
        f'error: {path}:2:1: unknown key "kafka-listn": did you mean kafka-listen?',
        f'error: {path}:3:18: max-connections is "many"; it must be a whole number from 1 to 1000000',
        f'error: {path}:5:3: unknown topic config "retention.mss": did you mean retention.ms?',
    ]
    for arguments in (["serve"], ["config"], ["config", "--check"]):
        done = millrace(*arguments, "--config", path)
        assert done.returncode == 64 and done.stdout == ""
        assert [line for line in done.stderr.splitlines() if line.startswith("error: ")] == expected
    assert not data.exists()


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"data: \xff"),
    lambda path: path.write_bytes(b"[" * 900_000),
    lambda path: path.write_bytes(b"#" * 2_000_000),
    lambda path: path.write_bytes(b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (n, n, n - 1, n - 1)
                                                                 for n in range(ord("b"), ord("z")))),
    lambda path: None,
], ids=["directory", "empty", "not-utf8", "deep", "huge", "aliases", "missing"])
def test_a_file_that_is_none_is_one_clear_line(make, tmp_path):
    path = tmp_path / "file"
    make(path)
    done = millrace("config", "--check", "--config", path)
    assert done.returncode == 64
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and errors[0].startswith(f"error: {path}")


def test_what_wins_is_shown_with_its_place(write):
    path = write("stop-timeout: 1\nmax-connections: 3\ndefault-partitions: 2\n")
    done = millrace("config", "--config", path, "--max-connections", "5", "--json", MILLRACE_DEFAULT_PARTITIONS="7")
    assert done.returncode == 0, done.stderr
    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    shown = {name: (found[name]["value"], found[name]["source"], found[name]["place"])
             for name in ("stop-timeout", "max-connections", "default-partitions", "max-groups")}
    assert shown == {
        "stop-timeout": (1, "file", f"{path}:1"), "max-connections": (5, "flag", "--max-connections"),
        "default-partitions": (7, "environment", "MILLRACE_DEFAULT_PARTITIONS"),
        "max-groups": (100_000, "default", None)}


def test_the_printed_file_is_read_back(write):
    first = millrace("config", "--yaml", "--data", "/a b", "--topic-defaults", "retention.ms=5")
    path = write(first.stdout)
    again = millrace("config", "--yaml", "--config", path)
    assert again.stdout == first.stdout and "\n  retention.ms: 5\n" in again.stdout
    assert millrace("config", "--check", "--config", path).returncode == 0


def test_the_server_goes_by_file_environment_and_flags(new_server, tmp_path):
    path = tmp_path / "millrace.yaml"
    path.write_text("default-partitions: 3\nmax-connections: 50\ntopic-defaults:\n  retention.ms: 12345\n")
    server = new_server(flags=["--max-connections", "60"], environment={
        "MILLRACE_CONFIG": str(path), "MILLRACE_TOPIC_DEFAULTS": "segment.ms=777", "MILLRACE_MAX_CONECTIONS": "1"})
    with server.connect() as connection:
        connection.produce("made", [b"x"])
        assert len(connection.metadata("made").topics[0].partitions) == 3
    described = subprocess.run([str(binary()), "topic", "describe", "made", "-b", server.bootstrap, "--json"],
                               capture_output=True, text=True, timeout=60, check=True).stdout
    assert '"retention.ms"' in described and "12345" in described and "777" in described
    assert "MILLRACE_MAX_CONECTIONS" in server.log_text()
    assert "did you mean MILLRACE_MAX_CONNECTIONS?" in server.log_text()


def test_a_running_server_is_asked(new_server):
    server = new_server(flags=["--default-partitions", "2"])
    with server.connect() as connection:
        answer = connection.call(administration.INCREMENTAL_ALTER_CONFIGS, 1, validate_only=False, resources=[{
            "resource_type": 4, "resource_name": "", "configs": [
                {"name": "log.retention.ms", "config_operation": 0, "value": "99"}]}])
        assert answer.responses[0].error_code == 0
    done = millrace("config", "--bootstrap", server.bootstrap, "--json")
    assert done.returncode == 0, done.stderr
    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    shown = {name: (found[name]["value"], found[name]["source"], found[name]["dynamic"])
             for name in ("log.retention.ms", "num.partitions", "fetch.max.bytes")}
    assert shown == {"log.retention.ms": ("99", "every-broker", True), "num.partitions": ("2", "start", True),
                     "fetch.max.bytes": ("57671680", "default", False)}
    # It is changed from the command line, too.
    at = ("config", "--bootstrap", server.bootstrap)
    assert millrace(*at, "--set", "log.retention.ms=7", "--dry-run").stdout == "broker 1 can be changed so\n"
    assert millrace(*at, "--set", "group.max.size=5", "--set", "num.partitions=3").stdout == "changed broker 1\n"
    assert millrace(*at, "--delete", "log.retention.ms", "--every-broker").stdout == "changed every broker\n"
    done = millrace(*at, "--json")
    found = {row["name"]: (row["value"], row["source"]) for row in map(json.loads, done.stdout.splitlines())}
    assert found["group.max.size"] == ("5", "this-broker") and found["num.partitions"] == ("3", "this-broker")
    assert found["log.retention.ms"] == ("604800000", "default")
    wrong = millrace(*at, "--set", "num.partition=3")
    assert wrong.returncode == 1 and "did you mean num.partitions?" in wrong.stderr
    for usage in (["--every-broker"], ["--set", "a=1", "--delete", "a"], ["--set", "a=1", "--json"], ["--set", "a"]):
        assert millrace(*at, *usage).returncode == 64
    assert millrace("config", "--set", "a=1").returncode == 64
    # What it would start with is another question, and says so.
    started = millrace("config", "--data", server.data)
    assert "604800000" in started.stdout and "millrace config --bootstrap" in started.stderr
    assert millrace("config", "--bootstrap", server.bootstrap, "--check").returncode == 64
