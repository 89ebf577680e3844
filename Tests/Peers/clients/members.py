"""Members of consumer groups, a process each: they join, read and commit until they leave, or are killed."""

import threading
import time

from .remote import Remote

# Name: (environment, module). None is the newest one's.
NEW = {"confluent-kafka": (None, "confluent_member"), "kafka-python": (None, "kafkapython_member"),
       "aiokafka": (None, "aio_member")}
OLD = {f"{name}-{year}": (year, module) for year in (2023, 2024) for name, (_, module) in NEW.items()}
ALL = {**NEW, **OLD}


class Member:
    """A member that runs in the background. `rows` and `assignment` are what it got."""

    def __init__(self, client, bootstrap, group, topics, **options):
        self.remote = Remote(*ALL[client])
        self.rows, self.assignment, self.error = [], [], None
        # kafka-python 3 that is polled for 50 ms at a time may stop in the middle of a join, and then never goes on.
        self._poll_seconds = 0.5 if client == "kafka-python" else 0.05
        self._stopping = False
        self._arguments = (bootstrap, group, list(topics)), options
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            arguments, options = self._arguments
            self.remote.join(*arguments, **options)
            while not self._stopping:
                rows, self.assignment = self.remote.poll(self._poll_seconds)
                self.rows += rows
            self.remote.leave()
        except Exception as error:
            self.error = error
        finally:
            self.assignment = []

    def leave(self):
        """Commits what it has, says goodbye, and ends."""
        self._stopping = True
        self._thread.join(60)
        assert not self._thread.is_alive() and self.error is None, self.error
        self.remote.end()

    def kill(self):
        """Vanishes without a word."""
        self._stopping = True
        self.remote.end()
        self._thread.join(60)


class Members:
    """The members of a test, which are gone when it is over."""

    def __init__(self):
        self.all = []

    def join(self, *arguments, **options):
        self.all.append(Member(*arguments, **options))
        return self.all[-1]

    def end(self):
        for one in self.all:
            one.kill()


def wait_for(condition, seconds=30, what="it"):
    """Waits until `condition()` is true, and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)
