"""Kills the server at random moments while points are written, flushed, compacted and deleted, and judges the rest.

    series.py --rounds 20 [--seed N] [--keep]

Every point whose request was answered with 204 must be there afterwards, with its values, once; what an answered DELETE
or DROP took must not come back. What got no answer may be there or not. Heads are cut all the time, so that the axe
falls on flushes and compactions too.
"""

import json

from rounds import Broken, Gone, HTTP, Worker, main

DATABASE = "crash"
WRITERS = 4
SERIES = 5
MILLISECOND = 1_000_000
# What a statement's error says when the server stops: nobody knows whether it happened.
STOPPING = ("is closed", "starting or stopping")


class InfluxHTTP(HTTP):
    """The same with InfluxDB's two requests."""

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


class Writer(Worker):
    """Points of one measurement, numbered; mostly in order, some batches shuffled, some sent twice."""

    def __init__(self, server, seed, number):
        super().__init__(InfluxHTTP(server), seed)
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


    def figures(self):
        return f"{len(self.acknowledged)} points acknowledged"


class Deleter(Worker):
    """Series and measurements that are written, and then deleted; some writes come after the deletion."""

    POINTS = 40

    def __init__(self, server, seed):
        super().__init__(InfluxHTTP(server), seed)
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

    def figures(self):
        return f"{self.number} deletions"


def workers(server, seed):
    InfluxHTTP(server).query(f"CREATE DATABASE {DATABASE}")
    return [Writer(server, seed + n, n) for n in range(WRITERS)] + [Deleter(server, seed - 1)]


if __name__ == "__main__":
    main(__doc__, "series", InfluxHTTP, workers)
