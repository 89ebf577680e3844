"""Kills the server at random moments under load, restarts it on the same data, and judges what the clients saw.

    crash.py --rounds 20 [--seed N] [--keep]

The seed decides when and how each round ends; the journals of all clients stay if a promise was broken.
"""

import argparse
import contextlib
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from crash import journal  # noqa: E402
from crash.journal import Created, Deleted, Deleting, Fatal, Final, Listed, name_value  # noqa: E402
from crash.judge import Judge, describe  # noqa: E402
from server import Server, data_directory  # noqa: E402
from wire.connection import Closed  # noqa: E402

PARTITIONS = 3
# Small segments, so that rolling, closing and indexing happen under the axe as well.
TOPICS = {
    "crash-librdkafka": {"segment.bytes": "16384"},
    "crash-plain": {"flush.ms": "50"},
    "crash-python": {"segment.bytes": "32768"},
    "crash-raw": {"segment.bytes": "14000", "index.interval.bytes": "100"},
}
CLIENTS = [
    ("produce-confluent", "librdkafka-idempotent", "crash-librdkafka", ["--idempotent", "--codec", "lz4"]),
    ("produce-confluent", "librdkafka-zstd", "crash-librdkafka", ["--idempotent", "--codec", "zstd"]),
    ("produce-confluent", "librdkafka-plain", "crash-plain", ["--codec", "gzip"]),
    # kill -9 leaves what was written with the kernel: it must not lose what acks=1 promised either.
    ("produce-confluent", "librdkafka-acks-1", "crash-plain", ["--acks", "1"]),
    ("produce-kafka-python", "kafka-python", "crash-python", ["--codec", "snappy"]),
    ("produce-aiokafka", "aiokafka", "crash-python", ["--codec", "none"]),
    ("produce-raw", "raw", "crash-raw", []),
    *((f"read-{kind}", f"reader-{kind}-{topic}", topic, [])
      for kind, topic in (("confluent", "crash-librdkafka"), ("raw", "crash-librdkafka"), ("raw", "crash-plain"),
                          ("confluent", "crash-python"), ("confluent", "crash-raw"), ("raw", "crash-raw"))),
]
CHECK_EVERY_ROUNDS = 10
# How long all clients may take to send and acknowledge what is left, once the server stays up.
SETTLE_SECONDS = 90


class Admin(threading.Thread):
    """Creates and deletes topics all the time. What fails half-way may have happened or not."""

    def __init__(self, server, path):
        super().__init__(daemon=True)
        self.server, self.file = server, open(path, "w")
        self.stopping = threading.Event()

    def run(self):
        number = 0
        while not self.stopping.wait(0.1):
            number += 1
            name = f"admin-{number}"
            with contextlib.suppress(OSError, Closed, AssertionError):
                with self.server.connect(timeout=5) as connection:
                    connection.create_topic(name, 2)
                    journal.write(self.file, Created(name))
                    if number % 3:
                        connection.produce(name, [b"x"])
                        journal.write(self.file, Deleting(name))
                        if connection.delete_topic(name) == 0:
                            journal.write(self.file, Deleted(name))
        self.file.close()


class Rounds:
    """All rounds on one data directory, and the verdict."""

    def __init__(self, rounds, seed, rate):
        self.rounds, self.rng, self.seed, self.rate = rounds, random.Random(seed), seed, rate
        self.server = Server(data_directory("crash"))
        self.journals = self.server.directory / "journals"
        self.journals.mkdir()
        self.start_seconds = []
        self.processes = []
        self.checks = 0

    def run(self):
        self.server.start()
        with self.server.connect() as connection:
            for topic, configs in TOPICS.items():
                connection.create_topic(topic, PARTITIONS, **configs)
        admin = Admin(self.server, self.journals / "admin")
        self._start_clients()
        admin.start()
        time.sleep(1.5)
        for number in range(1, self.rounds + 1):
            self._round(number)
        # The load goes on for a moment, so that every client proves that it came back.
        time.sleep(2)
        admin.stopping.set()
        admin.join()
        self._stop_clients()
        self._read_everything()
        assert self.server.stop() == 0, self.server.log_tail()
        self._check()

    def _round(self, number):
        time.sleep(self.rng.uniform(0.1, 1.3))
        kind = self.rng.random()
        if kind < 0.1:
            how = "stop"
            assert self.server.stop() == 0, self.server.log_tail()
        else:
            how = "kill"
            self.server.kill()
        if number % CHECK_EVERY_ROUNDS == 0:
            self._check()
        if kind > 0.8:
            how = "kill, and again while it starts"
            self.server.spawn()
            time.sleep(self.rng.uniform(0, 0.2))
            self.server.kill()
        time.sleep(self.rng.uniform(0, 0.1))
        self.start_seconds.append(self.server.start())
        print(f"round {number}: {how}; ready after {self.start_seconds[-1] * 1000:.0f} ms", flush=True)

    def _check(self):
        status, output = self.server.check()
        assert status == 0, f"millrace check: {status}\n{output}"
        self.checks += 1

    def _start_clients(self):
        for kind, name, topic, more in CLIENTS:
            command = [sys.executable, HERE / "load.py", kind, name, "--bootstrap", self.server.bootstrap, "--journal",
                       self.journals / name, "--topic", topic, "--partitions", PARTITIONS, "--seed", self.seed,
                       "--rate", self.rate, *more]
            with open(self.server.directory / f"{name}.log", "wb") as log:
                self.processes.append((name, subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)))

    def _stop_clients(self):
        # Producers first: they have something to finish, and readers something to see.
        for readers in (False, True):
            chosen = [(name, p) for name, p in self.processes if name.startswith("reader") is readers]
            for _, process in chosen:
                process.terminate()
            for name, process in chosen:
                status = process.wait(SETTLE_SECONDS)
                if status != 0:
                    text = (self.server.directory / f"{name}.log").read_text(errors="replace")
                    with open(self.journals / f"{name}-end", "w") as file:
                        journal.write(file, Fatal(name, f"ended with {status}: {text[-500:]}"))

    def _read_everything(self):
        with open(self.journals / "final", "w") as file, self.server.connect() as connection:
            for topic in TOPICS:
                for partition in range(PARTITIONS):
                    for record in connection.read_all(topic, partition):
                        journal.write(file, Final(topic, partition, record.offset, name_value(record.value)))
            for topic in connection.metadata_of_all():
                journal.write(file, Listed(topic))

    def discard(self, keep):
        for _, process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        if keep:
            if self.server.is_alive:
                self.server.kill()
            print(f"journals, logs and data stay in {self.server.directory}")
        else:
            self.server.discard()

    def judge(self):
        """(violations, counts of events, acknowledgements by producer)."""
        one, acknowledged = Judge(), {}
        for path in sorted(self.journals.iterdir()):
            for event in journal.read(path):
                one.take(event)
                if isinstance(event, journal.Ack):
                    acknowledged[event.producer] = acknowledged.get(event.producer, 0) + 1
        return one.verdict(), dict(one.counts), acknowledged


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's moments and kinds (default: random)")
    parser.add_argument("--rate", type=float, default=150, help="records per second of each producer")
    parser.add_argument("--keep", action="store_true", help="keep the data and the journals even if all is well")
    parser.add_argument("--start-limit", type=float, default=20, help="seconds from a start to ready, at most")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"{options.rounds} rounds, --seed {seed}", flush=True)
    began = time.monotonic()
    rounds = Rounds(options.rounds, seed, options.rate)
    failed = True
    try:
        rounds.run()
        violations, counts, acknowledged = rounds.judge()
        silent = {name for kind, name, *_ in CLIENTS if kind.startswith("produce")} - set(acknowledged)
        starts = rounds.start_seconds
        print(f"{counts.get('Send', 0)} records sent, {counts.get('Ack', 0)} acknowledged, {counts.get('Poll', 0)} "
              f"polled, {counts.get('Final', 0)} in the end; {counts.get('Created', 0)} topics created, "
              f"{counts.get('Deleted', 0)} deleted; {rounds.checks} checks")
        print("acknowledged: " + ", ".join(f"{name} {n}" for name, n in sorted(acknowledged.items())))
        print(f"start to ready: median {statistics.median(starts) * 1000:.0f} ms, most {max(starts) * 1000:.0f} ms")
        if silent:
            print(f"never acknowledged anything: {sorted(silent)}")
        if violations:
            print(describe(violations))
        if max(starts) > options.start_limit:
            print(f"a start took {max(starts):.1f} s, more than {options.start_limit:.0f}")
        failed = bool(violations or silent or max(starts) > options.start_limit)
    finally:
        rounds.discard(keep=failed or options.keep)
    print(f"{'FAILED' if failed else 'ok'} after {time.monotonic() - began:.0f} s")
    sys.exit(failed)


if __name__ == "__main__":
    main()
