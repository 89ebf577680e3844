"""Kills the server at random moments while points are written, flushed, compacted and deleted, and judges the rest.

    series.py --rounds 20 [--seed N] [--keep]

Every point whose request was answered with 204 must be there afterwards, with its values, once; what an answered DELETE
or DROP took must not come back. What got no answer may be there or not. Heads are cut all the time, so that the axe
falls on flushes and compactions too.
"""

import argparse
import http.client
import json
import os
import random
import sys
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server import Server, data_directory  # noqa: E402

DATABASE = "crash"
WRITERS = 4
SERIES = 5
MILLISECOND = 1_000_000
# Settings under which every round sees many cuts and compactions.
ENVIRONMENT = {"MILLRACE_VIEW_CUT_BYTES": "65536", "MILLRACE_VIEW_CUT_MS": "300",
               "MILLRACE_VIEW_COMPACTION_INTERVAL_MS": "200"}
SETTLE_SECONDS = 60
# What a statement's error says when the server stops: nobody knows whether it happened.
STOPPING = ("is closed", "starting or stopping")


class Broken(Exception):
    """A promise was broken; the text says which."""


class Gone(Exception):
    """No answer, or one that asks to try again: nobody knows whether it happened."""


class HTTP:
    """A connection that is opened again when it breaks."""

    def __init__(self, server):
        self.server, self.connection = server, None

    def ask(self, method, path, parameters, body=None):
        """Status and body; `Gone` if there is no answer or a 503."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
            self.connection.request(method, f"{path}?{urllib.parse.urlencode(parameters)}", body)
            response = self.connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            raise Gone(str(error)) from None
        if status == 503:
            raise Gone(data.decode())
        return status, data

    def write(self, lines):
        status, data = self.ask("POST", "/write", {"db": DATABASE}, "".join(lines).encode())
        if status != 204:
            raise Broken(f"a good write was answered with {status} {data.decode()}")

    def query(self, text):
        """The series of the only result."""
        status, data = self.ask("POST", "/query", {"db": DATABASE, "q": text, "epoch": "ns"})
        result = json.loads(data)["results"][0] if status == 200 else {"error": data.decode()}
        if "error" in result and any(word in result["error"] for word in STOPPING):
            raise Gone(result["error"])
        if "error" in result:
            raise Broken(f"{text}: {status} {result['error']}")
        return result.get("series", [])


class Worker(threading.Thread):
    """Something that goes on until it is stopped, and keeps what went wrong."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.http, self.rng = HTTP(server), random.Random(seed)
        self.stopping, self.failure = threading.Event(), None

    def run(self):
        while not self.stopping.is_set():
            try:
                self.step()
            except Gone:
                self.stopping.wait(0.02)
            except Exception as error:  # noqa: BLE001 (the judge reports it)
                self.failure = f"{type(error).__name__}: {error}"
                return


class Writer(Worker):
    """Points of one measurement, numbered; mostly in order, some batches shuffled, some sent twice."""

    def __init__(self, server, seed, number):
        super().__init__(server, seed)
        self.measurement = f"w{number}"
        self.next = 0
        self.acknowledged, self.unknown = set(), set()

    @staticmethod
    def values(number):
        return number, number / 4, f"text {number} ✓"

    def line(self, number):
        integer, double, text = self.values(number)
        return (f'{self.measurement},slot={number % SERIES} i={integer}i,f={double},s="{text}" '
                f"{number * MILLISECOND}\n")

    def step(self):
        count = self.rng.choice((1, 3, 20, 200))
        numbers = list(range(self.next, self.next + count))
        if self.rng.random() < 0.2 and self.unknown:
            numbers = self.rng.sample(sorted(self.unknown), min(count, len(self.unknown)))
        elif self.rng.random() < 0.1 and self.next > count:
            numbers = self.rng.sample(range(self.next), count)
        else:
            self.next += count
        if self.rng.random() < 0.3:
            self.rng.shuffle(numbers)
        self.unknown.update(set(numbers) - self.acknowledged)
        self.http.write([self.line(number) for number in numbers])
        self.acknowledged.update(numbers)
        self.unknown -= self.acknowledged

    def judge(self, http):
        found = set()
        for series in http.query(f"SELECT i, f, s FROM {self.measurement} GROUP BY slot"):
            times = [row[0] for row in series["values"]]
            if times != sorted(set(times)):
                raise Broken(f"{self.measurement} {series['tags']}: times that repeat or go back")
            for moment, *values in series["values"]:
                number = moment // MILLISECOND
                if tuple(values) != self.values(number) or series["tags"] != {"slot": str(number % SERIES)}:
                    raise Broken(f"{self.measurement}: point {number} holds {values} in {series['tags']}")
                found.add(number)
        lost, strange = self.acknowledged - found, found - self.acknowledged - self.unknown
        if lost or strange:
            raise Broken(f"{self.measurement}: {len(lost)} acknowledged points are lost ({sorted(lost)[:10]}), "
                         f"{len(strange)} are there that nobody sent ({sorted(strange)[:10]})")
        counted = http.query(f"SELECT count(i) FROM {self.measurement}")
        if found and counted[0]["values"][0][1] != len(found):
            raise Broken(f"{self.measurement}: {len(found)} points, but count(i) says {counted[0]['values'][0][1]}")


class Deleter(Worker):
    """Series and measurements that are written, and then deleted; some writes come after the deletion."""

    POINTS = 40

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.number = 0
        self.expected = {}

    def step(self):
        self.number += 1
        name, kind = f"d{self.number}", self.rng.choice(("series", "time", "measurement", "again"))
        self.expected[name] = None
        self.until_acknowledged(lambda: self.http.write(self.lines(name, range(self.POINTS))))
        self.expected[name] = set(range(self.POINTS))
        for text, left in self.deletions(name, kind):
            self.expected[name] = None
            self.until_acknowledged(lambda text=text: self.http.query(text))
            self.expected[name] = left
        if kind == "again":
            self.expected[name] = None
            self.until_acknowledged(lambda: self.http.write(self.lines(name, range(5))))
            self.expected[name] = set(range(5))

    def lines(self, name, numbers):
        return [f"{name},half={number % 2} v={number}i {number * MILLISECOND}\n" for number in numbers]

    def deletions(self, name, kind):
        """Statements, and the numbers that are left after each."""
        all_of_them = set(range(self.POINTS))
        if kind == "series":
            return [(f"DROP SERIES FROM {name} WHERE half = '0'", {n for n in all_of_them if n % 2})]
        if kind == "time":
            return [(f"DELETE FROM {name} WHERE time < {10 * MILLISECOND}", set(range(10, self.POINTS))),
                    (f"DELETE FROM {name} WHERE half = '1' AND time >= {30 * MILLISECOND}",
                     {n for n in range(10, self.POINTS) if n < 30 or n % 2 == 0})]
        return [(f"DROP MEASUREMENT {name}", set())]

    def until_acknowledged(self, action):
        """All of these may be done again; in between nobody knows."""
        while True:
            try:
                return action()
            except Gone:
                if self.stopping.wait(0.02):
                    raise

    def judge(self, http):
        for name, expected in list(self.expected.items()):
            if expected is None:
                continue
            series = http.query(f"SELECT v FROM {name}")
            found = [row[1] for row in series[0]["values"]] if series else []
            if sorted(found) != sorted(expected):
                raise Broken(f"{name}: {sorted(found)} instead of {sorted(expected)}")


class Rounds:
    def __init__(self, seed, environment):
        self.rng = random.Random(seed)
        self.server = Server(data_directory("series-crash"), environment=environment)
        self.server.start()
        HTTP(self.server).query(f"CREATE DATABASE {DATABASE}")
        self.workers = [Writer(self.server, seed + n, n) for n in range(WRITERS)] + [Deleter(self.server, seed - 1)]
        self.judged = 0

    def run(self, rounds):
        for worker in self.workers:
            worker.start()
        for number in range(1, rounds + 1):
            time.sleep(self.rng.uniform(0.2, 2.0))
            graceful = self.rng.random() < 0.15
            if graceful:
                assert self.server.stop() == 0, self.server.log_tail()
            else:
                self.server.kill()
            took = self.server.start()
            print(f"round {number}: {'stop' if graceful else 'kill'}; ready after {took * 1000:.0f} ms", flush=True)
            if number % 5 == 0:
                self.pause()
                self.judge()
                self.go_on()
        self.pause()
        self.judge()
        self.server.kill()
        self.server.start()
        self.judge()

    def pause(self):
        """The workers stand still while somebody judges: what they know must not change meanwhile."""
        for worker in self.workers:
            worker.stopping.set()
        for worker in self.workers:
            worker.join(SETTLE_SECONDS)
            if worker.is_alive():
                raise Broken(f"{type(worker).__name__} gets no answer")
            if worker.failure:
                raise Broken(worker.failure)

    def go_on(self):
        for worker in self.workers:
            threading.Thread.__init__(worker, daemon=True)
            worker.stopping.clear()
            worker.start()

    def judge(self):
        client, began = HTTP(self.server), time.monotonic()
        for worker in self.workers:
            while True:
                try:
                    worker.judge(client)
                    break
                except Gone as error:
                    if time.monotonic() - began > SETTLE_SECONDS:
                        raise Broken(f"no answer to a query: {error}") from None
                    time.sleep(0.05)
        self.judged += 1

    def figures(self):
        points = sum(len(worker.acknowledged) for worker in self.workers if isinstance(worker, Writer))
        return f"{points} points acknowledged, {self.workers[-1].number} deletions, judged {self.judged} times"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's moments and kinds (default: random)")
    parser.add_argument("--keep", action="store_true", help="keep the data even if all is well")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"{options.rounds} rounds, --seed {seed}", flush=True)
    rounds, failed = Rounds(seed, ENVIRONMENT), True
    try:
        rounds.run(options.rounds)
        print(rounds.figures())
        failed = False
    except Broken as broken:
        print(f"{broken}\n{rounds.server.log_tail()}")
    finally:
        if failed or options.keep:
            if rounds.server.is_alive:
                rounds.server.kill()
            print(f"data and logs stay in {rounds.server.directory}")
        else:
            rounds.server.discard()
    print("FAILED" if failed else "ok")
    sys.exit(failed)


if __name__ == "__main__":
    main()
