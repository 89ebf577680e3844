"""docs/compatibility.md says what the broker advertises and what these tests run."""

import re

from server import REPOSITORY
from wire.definitions import API_VERSIONS

PAGE = (REPOSITORY / "docs" / "compatibility.md").read_text()


def test_the_page_lists_what_is_advertised(connection):
    listed = {}
    for key, first, last in re.findall(r"^\| (\d+) \| \w+ \| (\d+)(?:–(\d+))? \|", PAGE, re.M):
        listed[int(key)] = (int(first), int(last or first))
    offered = connection.call(API_VERSIONS, 0).api_keys
    assert listed == {one.api_key: (one.min_version, one.max_version) for one in offered}


def test_the_page_lists_the_clients_that_are_pinned():
    for path in sorted((REPOSITORY / "Tests" / "Peers").glob("requirements*.txt")):
        for name, version in re.findall(r"^(confluent-kafka|kafka-python|aiokafka)==(\S+)$", path.read_text(), re.M):
            row = next(line for line in PAGE.splitlines() if line.startswith(f"| {name} "))
            assert version in row, f"{path.name}: {name} {version}"
