"""docs/metrics.md names what a server under load renders: nothing is missing, nothing is stale."""

import re
import time

import pytest
from confluent_kafka import Consumer, Producer

from server import REPOSITORY
from wire.definitions import FETCH

PAGE = (REPOSITORY / "docs" / "metrics.md").read_text()


def families_on_the_page():
    """Name to (kind, label names)."""
    rows = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \| ([\w, ]*) ?\|", PAGE, re.M)
    return {name: (kind, {label.strip() for label in labels.split(",")} - {""}) for name, kind, labels in rows}


def families_rendered(text):
    """The same, from what /metrics answers; every sample must belong to the family above it."""
    families = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert len(line.split(" ", 3)[3]) > 5, line
        elif line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in families, f"{name} is rendered twice"
            families[name] = (kind, set())
        else:
            sample = re.match(r"(\w+)(?:\{(.*)\})? \S+$", line)
            assert sample and sample[1] in (name, name + "_bucket", name + "_sum", name + "_count"), line
            families[name][1].update(re.findall(r'(\w+)="', sample[2] or ""))
    return {name: (kind, labels - {"le"}) for name, (kind, labels) in families.items()}


@pytest.fixture
def text(new_server, topic):
    """What a server renders that a group has read from, and that has refused something."""
    server = new_server()
    with server.connect() as connection:
        connection.create_topic(topic, partitions=3)
        connection.create_topic(f"metrics.{topic}", millrace_view="series")
        connection.create_topic(f"logs.{topic}", millrace_view="search")
        producer = Producer({"bootstrap.servers": server.bootstrap, "enable.idempotence": True})
        for number in range(300):
            producer.produce(topic, b"%d" % number, partition=number % 3)
        assert producer.flush(20) == 0
        consumer = Consumer({"bootstrap.servers": server.bootstrap, "group.id": "readers",
                             "auto.offset.reset": "earliest", "enable.auto.commit": False})
        consumer.subscribe([topic])
        read, deadline = 0, time.monotonic() + 60
        while read < 300 and time.monotonic() < deadline:
            read += len(consumer.consume(100, 1))
        assert read == 300
        consumer.commit(asynchronous=False)
        assert connection.fetch("no-such-topic", 0).error_code != 0
        connection.call(FETCH, 12, max_wait_ms=0, min_bytes=1, session_id=0, session_epoch=0,
                        topics=[{"topic": topic, "partitions": [{"fetch_offset": 0}]}])
        yield server.get("/metrics")
        consumer.close()


def test_the_page_names_every_metric_and_no_other(text):
    assert families_on_the_page() == families_rendered(text)


def test_the_page_speaks_of_no_other_metric():
    known = families_on_the_page()
    named = set(re.findall(r"\b(?:millrace|process)_\w+", PAGE))
    assert named == set(known)


def test_labels_that_the_page_quotes_are_rendered(text):
    """`name{label="value"}` on the page is a sample that there is."""
    for name, label, value in re.findall(r'`(\w+)\{(\w+)="([^"]+)"\}`', PAGE):
        assert re.search(rf'^{name}(?:_\w+)?\{{.*{label}="{value}"', text, re.M), (name, label, value)


def test_every_setting_that_the_page_names_is_one():
    configuration = (REPOSITORY / "docs" / "configuration.md").read_text()
    settings = set(re.findall(r"^\| `([\w.-]+)` \|", configuration, re.M))
    bounds = PAGE[PAGE.index("## Bounds"):]
    for row in re.findall(r"^\| .* \|$", bounds, re.M):
        for name in re.findall(r"`([a-z][a-z0-9.-]+)`", row.split("|")[3]):
            assert name in settings or name == "max.message.bytes", name
