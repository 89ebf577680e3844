"""Kills a server at random moments while workers write to a view, and has them judge what is left."""

import argparse
import http.client
import os
import random
import sys
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from server import Server, data_directory  # noqa: E402

# Settings under which every round sees many cuts and compactions.
ENVIRONMENT = {"MILLRACE_VIEW_CUT_BYTES": "65536", "MILLRACE_VIEW_CUT_MS": "300",
               "MILLRACE_VIEW_COMPACTION_INTERVAL_MS": "200"}
SETTLE_SECONDS = 60


class Broken(Exception):
    """A promise was broken; the text says which."""


class Gone(Exception):
    """No answer, or one that asks to try again: nobody knows whether it happened."""


class HTTP:
    """A connection that is opened again when it breaks."""

    def __init__(self, server):
        self.server, self.connection = server, None

    def ask(self, method, path, parameters, body=None, headers=None):
        """Status and body; `Gone` if there is no answer or a 503."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.http_port, timeout=30)
            self.connection.request(method, f"{path}?{urllib.parse.urlencode(parameters)}", body,
                                    headers or {})
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


class Worker(threading.Thread):
    """Something that goes on until it is stopped, and keeps what went wrong."""

    def __init__(self, http, seed):
        super().__init__(daemon=True)
        self.http, self.rng = http, random.Random(seed)
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


class Rounds:
    """`workers` makes the workers of a server and a seed; each judges what it did. `client` makes a connection."""

    def __init__(self, name, seed, client, workers):
        self.rng, self.client = random.Random(seed), client
        self.server = Server(data_directory(f"{name}-crash"), environment=ENVIRONMENT)
        self.server.start()
        self.workers = workers(self.server, seed)
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
        client, began = self.client(self.server), time.monotonic()
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
        return ", ".join(worker.figures() for worker in self.workers) + f", judged {self.judged} times"


def main(description, name, client, workers):
    """The program of a view: `description` is its help."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="repeats a run's moments and kinds (default: random)")
    parser.add_argument("--keep", action="store_true", help="keep the data even if all is well")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"{options.rounds} rounds, --seed {seed}", flush=True)
    rounds, failed = Rounds(name, seed, client, workers), True
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
