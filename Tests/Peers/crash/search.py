"""Kills the server at random moments while log lines are pushed, flushed and compacted, and judges the rest.

    search.py --rounds 20 [--seed N] [--keep]

Every line of the durable class whose push was answered with 204 must be there afterwards, byte for byte, at its time,
once; a line that was pushed several times may be there as often until its blocks have merged. What got no answer may be
there or not. Heads are cut all the time, so that the axe falls on flushes and compactions too.
"""

import collections
import json

from rounds import Broken, Gone, HTTP, Worker, main

WRITERS = 4
BASE = 1_772_366_400_000_000_000  # 2026-03-01
MILLISECOND, DAY = 10**6, 86_400 * 10**9
DAYS = 3
PAGE = 5_000


class LokiHTTP(HTTP):
    """The same with Loki's push and query."""

    def push(self, labels, entries):
        body = json.dumps({"streams": [{"stream": labels, "values": [[str(time), line] for time, line in entries]}]})
        status, data = self.ask("POST", "/loki/api/v1/push", {}, body.encode(), {"Content-Type": "application/json"})
        if status == 429:
            raise Gone(data.decode())
        if status != 204:
            raise Broken(f"a good push was answered with {status} {data.decode()}")

    def query(self, path, **parameters):
        status, data = self.ask("GET", f"/loki/api/v1/{path}", parameters)
        if status != 200:
            raise Gone(data.decode()) if status >= 500 else Broken(f"{parameters}: {status} {data.decode()}")
        return json.loads(data)["data"]["result"]


class Writer(Worker):
    """Numbered lines of one stream, over three days; mostly in order, some pushes shuffled, some repeated."""

    def __init__(self, server, seed, number):
        super().__init__(LokiHTTP(server), seed)
        self.app = f"w{number}"
        self.next = 0
        self.sent = collections.Counter()
        self.acknowledged = set()

    @staticmethod
    def entry(number):
        """JSON, logfmt and plain lines, each unlike any other; its time is its number."""
        words = "x" * (number % 50)
        trace = number * 0x9E3779B97F4A7C15 % 2**64
        line = (f'{{"level":"info","number":{number},"trace":"{trace:016x}","msg":"{words}"}}',
                f'level=warn number={number} msg="slow {words}"', f"plain line {number} {words} ✓")[number % 3]
        return BASE - number % DAYS * DAY + number * MILLISECOND, line

    def step(self):
        count = self.rng.choice((1, 3, 20, 200))
        numbers = list(range(self.next, self.next + count))
        unknown = sorted(set(self.sent) - self.acknowledged)
        if self.rng.random() < 0.3 and unknown:
            numbers = self.rng.sample(unknown, min(count, len(unknown)))
        else:
            self.next += count
        if self.rng.random() < 0.3:
            self.rng.shuffle(numbers)
        self.sent.update(numbers)
        self.http.push({"app": self.app, "class": "audit"}, [self.entry(number) for number in numbers])
        self.acknowledged.update(numbers)

    def judge(self, http):
        found = collections.Counter()
        for time, line in self.lines(http):
            number = (time - BASE) // MILLISECOND % (DAY // MILLISECOND)
            if self.entry(number) != (time, line):
                raise Broken(f"{self.app}: {line!r} at {time}")
            found[number] += 1
        lost, strange = self.acknowledged - set(found), set(found) - set(self.sent)
        twice = [number for number in found if found[number] > self.sent[number]]
        if lost or strange or twice:
            raise Broken(f"{self.app}: {len(lost)} acknowledged lines are lost ({sorted(lost)[:10]}), {len(strange)} "
                         f"are there that nobody sent ({sorted(strange)[:10]}), {len(twice)} too often ({twice[:10]})")
        counted = http.query("query", query=f'sum(count_over_time({{app="{self.app}"}}[{DAYS + 1}d]))', time=BASE + DAY)
        counted = int(counted[0]["value"][1]) if counted else 0
        if not len(found) <= counted <= sum(self.sent.values()):
            raise Broken(f"{self.app}: {len(found)} lines, but count_over_time says {counted}")

    def lines(self, http):
        """All lines, by pages; lines of one time are equal, so a page may begin behind the last one's end."""
        start = BASE - DAYS * DAY
        while True:
            page = [(int(time), line) for stream in http.query(
                "query_range", query=f'{{app="{self.app}"}}', start=start, end=BASE + DAY, limit=PAGE,
                direction="forward") for time, line, *_ in stream["values"]]
            page.sort()
            yield from page
            if len(page) < PAGE:
                return
            start = page[-1][0] + 1

    def figures(self):
        return f"{len(self.acknowledged)} lines acknowledged"


def workers(server, seed):
    return [Writer(server, seed + n, n) for n in range(WRITERS)]


if __name__ == "__main__":
    main(__doc__, "search", LokiHTTP, workers)
