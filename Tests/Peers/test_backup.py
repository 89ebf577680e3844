"""Backups of a server under load: real clients produce and commit meanwhile; restored elsewhere, everything fits."""

import json
import os
import shutil
import subprocess
import threading
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from server import Server, binary, data_directory

PARTITIONS = 3


def millrace(*words, **options):
    """(status, STDOUT, STDERR) of a command."""
    command = [str(word) for word in (binary(), *words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr


def backup(server, place, *flags):
    status, out, error = millrace("backup", "--data", server.data, "--to", place, "--json", *flags)
    assert status == 0, error
    return json.loads(out)


def restore(place, data):
    status, out, error = millrace("restore", "--from", place, "--data", data)
    assert status == 0, error
    return out


class Load:
    """An idempotent producer and a group that commits what it has read, until told to stop."""

    def __init__(self, server, topic):
        self.server, self.topic = server, topic
        self.acknowledged = [{} for _ in range(PARTITIONS)]
        self.committed = {}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=target) for target in (self._produce, self._consume)]
        for thread in self.threads:
            thread.start()

    def _produce(self):
        producer = Producer({"bootstrap.servers": self.server.bootstrap, "enable.idempotence": True, "linger.ms": 2,
                             "message.timeout.ms": 5000})
        number = 0

        def delivered(error, message):
            if error is None:
                self.acknowledged[message.partition()][message.offset()] = message.value()

        while not self.stopping.is_set():
            value = b"%d:" % number + b"x" * (number % 700)
            producer.produce(self.topic, value, partition=number % PARTITIONS, on_delivery=delivered)
            number += 1
            producer.poll(0)
            if number % 20 == 0:
                time.sleep(0.005)
        producer.flush(10)

    def _consume(self):
        consumer = Consumer({"bootstrap.servers": self.server.bootstrap, "group.id": "g",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([self.topic])
        while not self.stopping.is_set():
            if consumer.consume(100, 0.1):
                for place in consumer.commit(asynchronous=False) or []:
                    self.committed[place.partition] = place.offset
        consumer.close()

    def seen(self):
        """What was acknowledged and committed by now."""
        return [dict(one) for one in self.acknowledged], dict(self.committed)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)


def read_all(server, topic):
    """Values by offset, per partition."""
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "reader", "enable.auto.commit": False})
    found = []
    for partition in range(PARTITIONS):
        place = TopicPartition(topic, partition)
        low, high = consumer.get_watermark_offsets(place, timeout=20)
        consumer.assign([TopicPartition(topic, partition, low)])
        values, deadline = {}, time.monotonic() + 60
        while len(values) < high - low and time.monotonic() < deadline:
            values.update((m.offset(), m.value()) for m in consumer.consume(1000, 1.0) if not m.error())
        assert len(values) == high - low
        found.append(values)
    consumer.close()
    return found


def committed(server, topic):
    consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "g"})
    places = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=20)
    consumer.close()
    return {place.partition: place.offset for place in places if place.offset >= 0}


@pytest.fixture
def loaded(new_server, topic):
    server = new_server()
    with server.connect() as connection:
        connection.create_topic(topic, PARTITIONS, segment_bytes=65536)
    load = Load(server, topic)
    deadline = time.monotonic() + 30
    while not load.committed and time.monotonic() < deadline:
        time.sleep(0.05)
    assert load.committed
    yield server, load
    load.stop()


def check_restored(server, place, topic, known, load):
    """Restores, checks, serves and compares with what was known before the backup, and with what is known now."""
    acknowledged, offsets = known
    other = Server(data_directory("restored"))
    try:
        restore(place, other.data)
        status, output = other.check()
        assert status == 0, output
        other.start()
        found, groups = read_all(other, topic), committed(other, topic)
        for partition in range(PARTITIONS):
            missing = acknowledged[partition].keys() - found[partition].keys()
            assert not missing, f"{len(missing)} acknowledged records are not in the backup"
            now = dict(load.acknowledged[partition])
            assert all(now[o] == value for o, value in found[partition].items() if o in now)
            end = max(found[partition], default=-1) + 1
            assert groups.get(partition, 0) <= end
            assert groups.get(partition, -1) >= offsets.get(partition, -1)
        producer = Producer({"bootstrap.servers": other.bootstrap, "enable.idempotence": True})
        producer.produce(topic, b"after", partition=0)
        assert producer.flush(30) == 0
        assert other.stop() == 0
        assert other.check()[0] == 0
    finally:
        other.discard()


def test_backups_under_load_fit_together(loaded, topic):
    server, load = loaded
    previous = None
    for number in range(3):
        place = server.directory / f"backup-{number}"
        known = load.seen()
        flags = ["--previous", previous] if previous and number % 2 else []
        report = backup(server, place, "--verify", *flags)
        assert report["damage"] == [] and report["files"] > 0
        check_restored(server, place, topic, known, load)
        previous = place
        time.sleep(0.5)
    load.stop()
    assert server.stop() == 0
    known = load.seen()
    backup(server, server.directory / "stopped")
    check_restored(server, server.directory / "stopped", topic, known, load)


def test_a_backup_of_a_killed_server(loaded, topic):
    server, load = loaded
    known = load.seen()
    server.kill()
    load.stopping.set()
    backup(server, server.directory / "killed")
    check_restored(server, server.directory / "killed", topic, known, load)
    server.start()


def test_a_killed_backup_is_none_and_the_next_is_whole(loaded, topic):
    server, load = loaded
    time.sleep(2)
    for number in range(8):
        place = server.directory / f"backup-{number}"
        known = load.seen()
        command = [str(word) for word in (binary(), "backup", "--data", server.data, "--to", place)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.004 * number)
        process.kill()
        if process.wait() != 0 and not (place / "manifest").exists() and place.exists():
            status, _, error = millrace("restore", "--from", place, "--data", server.directory / "no")
            assert status == 2 and ("unfinished" in error or "no backup" in error), error
            # One that had only made its directory is in nobody's way.
            expected = 1 if list(place.iterdir()) else 0
            status, _, error = millrace("backup", "--data", server.data, "--to", place)
            assert status == expected, error
            shutil.rmtree(place, ignore_errors=True)
    place = server.directory / "whole"
    backup(server, place)
    check_restored(server, place, topic, known, load)


@pytest.fixture
def made(new_server, topic):
    """A stopped server with records, and a backup of it that shares nothing with it."""
    server = new_server()
    with server.connect() as connection:
        connection.create_topic(topic, 1, segment_bytes=65536)
        for number in range(20):
            assert connection.produce(topic, [b"%d" % number * 5000]).error_code == 0
    assert server.stop() == 0
    backup(server, server.directory / "backup", "--copy")
    return server, server.directory / "backup"


def test_a_damaged_backup_is_refused_by_name(made):
    server, place = made
    segment = max(place.glob("log/*/0/*.log"), key=lambda path: path.stat().st_size)
    whole = segment.read_bytes()

    def refused(*texts):
        for words in (["--data", server.directory / "new"], ["--verify-only"]):
            status, _, error = millrace("restore", "--from", place, *words)
            assert status == 2 and all(text in error for text in texts), error

    segment.write_bytes(whole[:-1])
    refused(segment.name, "bytes, not")
    segment.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    refused(segment.name, "does not verify")
    # What a restore that stopped in the middle has left is no data directory.
    half = Server(server.directory, data=server.directory / "new")
    half.spawn()
    assert half.process.wait(30) != 0 and "restore was not finished" in half.log_text()
    segment.unlink()
    refused(segment.name, "is missing")
    segment.write_bytes(whole)
    manifest = place / "manifest"
    text = manifest.read_bytes()
    manifest.unlink()
    refused("unfinished")
    manifest.write_bytes(text.replace(b"manifest 1", b"manifest 2", 1))
    status, _, error = millrace("restore", "--from", place, "--data", server.directory / "new")
    assert status == 1 and "this version knows 1" in error
    manifest.write_bytes(text)
    # And the same command goes on once the backup is whole again.
    restore(place, server.directory / "new")
    status, out, error = millrace("check", server.directory / "new")
    assert status == 0, out + error


def test_places_that_are_refused(made):
    server, place = made
    for target in (place, server.data, server.data / "backup", server.data / "log" / "x"):
        status, _, error = millrace("backup", "--data", server.data, "--to", target)
        assert status == 1 and error.startswith("error: "), error
    link = server.directory / "link"
    link.symlink_to(server.data)
    status, _, error = millrace("backup", "--data", server.data, "--to", link / "backup")
    assert status == 1 and "lies in a data directory" in error
    status, _, error = millrace("restore", "--from", place, "--data", server.data)
    assert status == 1 and "holds data already" in error
    serving = Server(server.directory, data=place)
    serving.spawn()
    assert serving.process.wait(30) != 0, "a backup is no data directory"
    assert millrace("backup", "--data", place, "--to", server.directory / "b")[0] == 1
    assert millrace("restore", "--from", server.data, "--data", server.directory / "n")[0] == 2
    assert millrace("restore", "--from", place)[0] == 64


def test_another_file_system_gets_copies(made):
    server, _ = made
    place = data_directory("tmpfs")
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "none", place]).returncode:
        pytest.skip("mounting needs root")
    try:
        report = backup(server, place / "backup")
        assert report["linkedBytes"] == 0
        restore(place / "backup", server.directory / "new")
        assert millrace("check", server.directory / "new")[0] == 0
    finally:
        subprocess.run(["umount", "-l", place])
        shutil.rmtree(place, ignore_errors=True)


def test_a_full_disk_leaves_nothing_that_could_be_taken_for_whole(made):
    server, place = made
    small = data_directory("small")
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", small]).returncode:
        pytest.skip("mounting needs root")
    try:
        status, _, error = millrace("backup", "--data", server.data, "--to", small / "backup")
        assert status == 1 and "No space" in error, error
        assert not (small / "backup" / "manifest").exists()
        shutil.rmtree(small / "backup")
        status, _, error = millrace("restore", "--from", place, "--data", small / "data")
        assert status == 1 and "make room" in error, error
        assert (small / "data" / "format").read_text().startswith("millrace restore, unfinished")
        subprocess.run(["mount", "-o", "remount,size=200m", small], check=True)
        restore(place, small / "data")
        assert millrace("check", small / "data")[0] == 0
    finally:
        subprocess.run(["umount", "-l", small])
        shutil.rmtree(small, ignore_errors=True)


def test_damage_in_the_server_is_told_and_kept(made):
    server, _ = made
    segment = sorted(server.data.glob("log/*/0/*.log"))[0]
    with open(segment, "r+b") as file:
        file.seek(200)
        file.write(b"\xff\xfe\xfd")
    status, out, error = millrace("backup", "--data", server.data, "--to", server.directory / "b", "--json")
    assert status == 2 and len(json.loads(out)["damage"]) == 1, out + error
    restore(server.directory / "b", server.directory / "new")
    assert millrace("check", server.directory / "new")[0] == 2


def test_the_rate_is_kept(made, topic):
    server, _ = made
    server.start()
    with server.connect() as connection:
        for number in range(30):
            assert connection.produce(topic, [b"%d" % (number % 10) * 100_000]).error_code == 0
    began = time.monotonic()
    report = backup(server, server.directory / "slow", "--rate-bytes-per-second", str(1 << 20))
    assert report["bytes"] > 3_000_000 and time.monotonic() - began > 0.9 * report["bytes"] / (1 << 20)
