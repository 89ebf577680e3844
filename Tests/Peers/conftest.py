"""What every test gets: a shared server that is proven alive after each of them, servers of its own, topics."""

import itertools

import pytest

from server import Server, data_directory

_names = itertools.count()
RESIDENT_LIMIT = 400 << 20


class Canary:
    """A client that minds its own business: it must be served, and its records must stay, whatever others do."""

    TOPIC = "canary"

    def __init__(self, server):
        self.server, self.sent = server, 0
        with server.connect() as connection:
            connection.create_topic(self.TOPIC)

    def sing(self):
        """Appends one record and reads all of them, on a new connection."""
        assert self.server.is_alive, f"the server is gone:\n{self.server.log_tail()}"
        with self.server.connect() as connection:
            made = connection.produce(self.TOPIC, [b"%d" % self.sent])
            assert (made.error_code, made.base_offset) == (0, self.sent)
            self.sent += 1
            values = [r.value for r in connection.read_all(self.TOPIC)]
            assert values == [b"%d" % n for n in range(self.sent)]
        assert self.server.resident_bytes() < RESIDENT_LIMIT


@pytest.fixture(scope="session")
def shared():
    server = Server(data_directory("shared"))
    server.start()
    server.canary = Canary(server)
    yield server
    assert server.stop() == 0, server.log_tail()
    status, output = server.check()
    assert status == 0, output
    server.discard()


@pytest.fixture
def server(shared):
    """The shared server; afterwards it must still serve another client, with nothing lost."""
    yield shared
    shared.canary.sing()


@pytest.fixture
def new_server():
    """A function that starts a server of the test's own."""
    made = []

    def make(**options):
        made.append(Server(data_directory("own"), **options))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.discard()


@pytest.fixture
def connection(server):
    with server.connect() as opened:
        yield opened


@pytest.fixture
def topic():
    """A name that no other test uses."""
    return f"topic-{next(_names)}"
