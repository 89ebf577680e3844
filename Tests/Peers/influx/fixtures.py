"""Where the tests of InfluxDB's protocol go: the shared server, or, with MILLRACE_TEST_INFLUXDB=1, InfluxDB itself."""

import itertools
import os

import pytest

from influx import scripts
from influx.process import InfluxServer

_names = itertools.count()
ORIGINAL = os.environ.get("MILLRACE_TEST_INFLUXDB") == "1"
ours_only = pytest.mark.skipif(ORIGINAL, reason="InfluxDB 1.6.7 does not have it")


@pytest.fixture(scope="session")
def original():
    """InfluxDB itself."""
    with InfluxServer() as server:
        yield server


@pytest.fixture
def address(request):
    """Host and port of the HTTP server under test."""
    if ORIGINAL:
        yield request.getfixturevalue("original").address
        return
    server = request.getfixturevalue("server")
    yield "127.0.0.1", server.http_port


@pytest.fixture
def database(address):
    """A database that no other test uses."""
    name = f"database-{next(_names)}"
    scripts.statement(address, f'CREATE DATABASE "{name}"')
    yield name
    scripts.statement(address, f'DROP DATABASE "{name}"')
