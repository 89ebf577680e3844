"""Every client writes with every codec, every client reads it all: new with old, C with Python."""

import time

import pytest

from clients import Message, Options
from clients.catalog import ALL
from wire import batch

CODECS = list(batch.CODECS)
COUNT = 40
STAMP = 1_700_000_000_000


def messages(client, partition):
    """What `client` can say: values large enough to be worth compressing, null keys, null values, headers."""
    headers = (("origin", b"test"), ("origin", b"twice"))
    stamp = STAMP if client.SETS_TIMESTAMPS else None
    rows = [Message(b"value %d " % n * 20, b"key %d" % n if n % 3 else None, headers, stamp and stamp + n,
                    partition=partition) for n in range(COUNT - 1)]
    return rows + [Message(None, b"tombstone", headers, stamp and stamp + COUNT, partition=partition)]


@pytest.fixture(scope="module")
def written(shared):
    """{client: (topic, what it sent, partition by partition)}; the partition is the codec's number."""
    done = {}
    for name, client in ALL.items():
        topic = f"codecs-{name}"
        with shared.connect() as connection:
            connection.create_topic(topic, len(CODECS))
        sent = []
        for partition, codec in enumerate(CODECS):
            rows = messages(client, partition)
            client.produce(shared.bootstrap, topic, rows, Options(codec=codec))
            sent.append(rows)
        done[name] = topic, sent
    return done


@pytest.mark.parametrize("name", ALL)
def test_the_codec_stays_as_the_producer_chose_it(server, written, name):
    topic, _ = written[name]
    with server.connect() as connection:
        for partition, codec in enumerate(CODECS):
            batches = batch.decode_all(connection.fetch(topic, 0, partition=partition).records)
            assert {b.attributes & 7 for b in batches} == {batch.CODECS[codec]}
            assert sum(b.count for b in batches) == COUNT


@pytest.mark.parametrize("name", ALL)
def test_every_client_reads_what_every_other_wrote(server, written, name):
    starts = {(topic, partition): 0 for topic, _ in written.values() for partition in range(len(CODECS))}
    began = time.time() * 1000
    got = ALL[name].consume(server.bootstrap, starts, len(starts) * COUNT)
    read = {}
    for message in sorted(got, key=lambda m: (m.topic, m.partition, m.offset)):
        read.setdefault((message.topic, message.partition), []).append(message)
    for writer, (topic, sent) in written.items():
        for partition, rows in enumerate(sent):
            here = read[topic, partition]
            assert [m.offset for m in here] == list(range(COUNT)), (writer, CODECS[partition])
            assert [(m.key, m.value, m.headers) for m in here] == [(m.key, m.value, m.headers) for m in rows]
            if ALL[writer].SETS_TIMESTAMPS:
                assert [m.timestamp for m in here] == [m.timestamp for m in rows]
            else:
                assert all(began - 600_000 < m.timestamp < began for m in here)
