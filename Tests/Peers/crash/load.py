"""One client under load, in a process of its own, until SIGTERM: `load.py KIND NAME --bootstrap … --journal FILE`.

Producers send numbered records round robin over their topic's partitions; readers read. All write down what they do.
"""

import argparse
import asyncio
import collections
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from crash import journal  # noqa: E402
from crash.journal import Ack, Fatal, Poll, Producer, Seek, Send, make_value, name_value  # noqa: E402
from wire import batch  # noqa: E402
from wire.connection import Closed, Connection  # noqa: E402
from wire.definitions import INIT_PRODUCER_ID, PRODUCE, Error  # noqa: E402

LAST_FLUSH_SECONDS = 60
RETRIABLE = {5, 6, 7, 9, 14, 15, 16, 19, 20, Error.STORAGE_ERROR, Error.UNKNOWN_TOPIC_OR_PARTITION, 89}


class Client:
    """The journal, the pace, and the end."""

    def __init__(self, options, idempotent=False, ordered=False):
        self.options, self.name, self.topic = options, options.name, options.topic
        self.file = open(options.journal, "w")
        self.rng = random.Random(f"{options.seed}{options.name}")
        self.stopping = False
        self.number = 0
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if options.kind.startswith("produce"):
            self.write(Producer(self.name, idempotent, ordered))

    def _stop(self, *_):
        self.stopping = True

    def write(self, event):
        journal.write(self.file, event)

    def next_record(self):
        """(partition, value's name, bytes) of the next record, which is written down as sent."""
        number, self.number = self.number, self.number + 1
        partition = number % self.options.partitions
        self.write(Send(self.name, self.topic, partition, f"{self.name}:{number}"))
        return partition, f"{self.name}:{number}", make_value(self.name, number)

    def burst(self):
        """How many records to send now, and how long to rest: `rate` per second on average."""
        count = self.rng.randrange(1, 40)
        return count, count / self.options.rate


def produce_confluent(options):
    """librdkafka. Plain producers keep their order by one request in flight."""
    from confluent_kafka import KafkaException, Producer as Library
    client = Client(options, idempotent=options.idempotent, ordered=True)
    library = Library({
        "bootstrap.servers": options.bootstrap, "enable.idempotence": options.idempotent, "acks": options.acks,
        "max.in.flight": 5 if options.idempotent else 1, "compression.type": options.codec, "linger.ms": 5,
        "batch.num.messages": 50, "message.timeout.ms": 0, "retries": 1_000_000, "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 100, "topic.metadata.refresh.fast.interval.ms": 50,
        # Its default forgets the only broker whenever it is down, and looks for it once per second.
        "metadata.recovery.strategy": "none",
        "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100, "socket.timeout.ms": 10_000,
        "error_cb": lambda error: error.fatal() and client.write(Fatal(client.name, str(error)))})

    def delivered(error, message):
        if error is None:
            value = name_value(message.value())
            client.write(Ack(client.name, client.topic, message.partition(), value, message.offset()))
        elif options.idempotent:
            client.write(Fatal(client.name, f"{name_value(message.value())} {error}"))

    while not client.stopping:
        count, rest = client.burst()
        for _ in range(count):
            partition, _, data = client.next_record()
            try:
                library.produce(client.topic, data, partition=partition, on_delivery=delivered)
            except (BufferError, KafkaException):
                library.poll(0.1)
        library.poll(rest)
        time.sleep(rest / 2)
        while len(library) > 500 and not client.stopping:
            library.poll(0.05)
    if library.flush(LAST_FLUSH_SECONDS):
        client.write(Fatal(client.name, "not everything could be flushed in the end"))
    client.file.close()


def produce_kafka_python(options):
    """kafka-python 3, idempotent as it is by default."""
    from kafka import KafkaProducer
    client = Client(options, idempotent=True, ordered=True)
    while True:
        try:
            library = KafkaProducer(
                bootstrap_servers=options.bootstrap, compression_type=options.codec, linger_ms=5, acks="all",
                retry_backoff_ms=50, reconnect_backoff_ms=10, reconnect_backoff_max_ms=100,
                delivery_timeout_ms=3_600_000, max_block_ms=600_000, request_timeout_ms=10_000)
            break
        except Exception:
            time.sleep(0.05)
    waiting = collections.deque()

    def settle(everything=False):
        while waiting and (everything or waiting[0][2].is_done):
            partition, value, future = waiting.popleft()
            try:
                got = future.get(LAST_FLUSH_SECONDS)
                client.write(Ack(client.name, client.topic, partition, value, got.offset))
            except Exception as error:
                client.write(Fatal(client.name, f"{value} {error!r}"))

    while not client.stopping:
        count, rest = client.burst()
        for _ in range(count):
            partition, value, data = client.next_record()
            waiting.append((partition, value, library.send(client.topic, data, partition=partition)))
        time.sleep(rest)
        settle()
        while len(waiting) > 500 and not client.stopping:
            time.sleep(0.02)
            settle()
    settle(everything=True)
    client.file.close()


def produce_aiokafka(options):
    """aiokafka, idempotent."""
    from aiokafka import AIOKafkaProducer
    client = Client(options, idempotent=True, ordered=True)

    async def run():
        library = AIOKafkaProducer(
            bootstrap_servers=options.bootstrap, compression_type=options.codec, enable_idempotence=True, linger_ms=5,
            retry_backoff_ms=50, request_timeout_ms=3_600_000, metadata_max_age_ms=1000)
        while True:
            try:
                await library.start()
                break
            except Exception:
                await asyncio.sleep(0.05)
        waiting = collections.deque()

        async def settle(everything=False):
            while waiting and (everything or waiting[0][2].done()):
                partition, value, future = waiting.popleft()
                try:
                    got = await asyncio.wait_for(future, LAST_FLUSH_SECONDS)
                    client.write(Ack(client.name, client.topic, partition, value, got.offset))
                except Exception as error:
                    client.write(Fatal(client.name, f"{value} {error!r}"))

        while not client.stopping:
            count, rest = client.burst()
            for _ in range(count):
                partition, value, data = client.next_record()
                waiting.append((partition, value, await library.send(client.topic, data, partition=partition)))
            await asyncio.sleep(rest)
            await settle()
            while len(waiting) > 500 and not client.stopping:
                await asyncio.sleep(0.02)
                await settle()
        await settle(everything=True)
        await library.stop()

    asyncio.run(run())
    client.file.close()


class RawProducer:
    """An idempotent producer of our own: up to five batches in flight per partition, resent as they were."""

    IN_FLIGHT = 5

    def __init__(self, client, connection):
        self.client = client
        self.producer = self._identity(connection)
        self.next_sequence = [0] * client.options.partitions
        # Per partition: batches that are not acknowledged, (values, bytes), oldest first.
        self.unsettled = [collections.deque() for _ in self.next_sequence]

    @staticmethod
    def _identity(connection):
        body = connection.call(INIT_PRODUCER_ID, 4, transaction_timeout_ms=60000)
        if body.error_code:
            raise Closed(f"no producer id: {body.error_code}")
        return body.producer_id, body.producer_epoch

    def run(self, connection):
        """Until the connection breaks or the end comes; first resends what is not settled."""
        flying = collections.deque()
        for partition, batches in enumerate(self.unsettled):
            for _, data in batches:
                flying.append((partition, connection.send_produce(self.client.topic, data, partition)))
        while flying or not self.client.stopping:
            while not self.client.stopping and len(flying) < 20:
                partition = self._open_partition()
                if partition is None:
                    break
                flying.append((partition, connection.send_produce(
                    self.client.topic, self._next_batch(partition), partition)))
                time.sleep(2.5 / self.client.options.rate)
            partition, correlation_id = flying.popleft()
            self._settle(partition, connection.receive(PRODUCE, 9, correlation_id))

    def _open_partition(self):
        open_ones = [p for p, batches in enumerate(self.unsettled) if len(batches) < self.IN_FLIGHT]
        return self.client.rng.choice(open_ones) if open_ones else None

    def _next_batch(self, partition):
        values, records = [], []
        for _ in range(self.client.rng.randrange(1, 5)):
            number, self.client.number = self.client.number, self.client.number + 1
            values.append(f"{self.client.name}:{number}")
            records.append(make_value(self.client.name, number))
            self.client.write(Send(self.client.name, self.client.topic, partition, values[-1]))
        data = batch.encode(records, self.client.rng.choice([None, "gzip"]), producer=self.producer,
                            sequence=self.next_sequence[partition])
        self.next_sequence[partition] += len(records)
        self.unsettled[partition].append((values, data))
        return data

    def _settle(self, partition, body):
        part = body.responses[0].partition_responses[0]
        if part.error_code in RETRIABLE:
            # What follows in flight would come out of order: resend all of it on a new connection.
            raise Closed(f"retriable error {part.error_code}")
        if part.error_code:
            self.client.write(Fatal(self.client.name, f"error {part.error_code} at partition {partition}"))
            self.client.stopping = True
            raise Closed("fatal")
        values, _ = self.unsettled[partition].popleft()
        for index, value in enumerate(values):
            offset = part.base_offset + index if part.base_offset >= 0 else -1
            self.client.write(Ack(self.client.name, self.client.topic, partition, value, offset))


def produce_raw(options):
    client = Client(options, idempotent=True, ordered=True)
    raw, deadline = None, None
    while True:
        try:
            with Connection(address_of(options), timeout=10) as connection:
                raw = raw or RawProducer(client, connection)
                raw.run(connection)
                break
        except (OSError, Closed):
            time.sleep(0.01)
        if client.stopping:
            deadline = deadline or time.monotonic() + LAST_FLUSH_SECONDS
            if time.monotonic() > deadline:
                client.write(Fatal(client.name, "not everything could be flushed in the end"))
                break
    client.file.close()


def read_confluent(options):
    """Follows every partition from its first offset, across all restarts."""
    from confluent_kafka import Consumer, KafkaError, TopicPartition
    client = Client(options)
    library = Consumer({
        "bootstrap.servers": options.bootstrap, "group.id": "unused", "enable.auto.commit": False,
        "auto.offset.reset": "error", "reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 100,
        "fetch.wait.max.ms": 100, "socket.timeout.ms": 10_000, "metadata.recovery.strategy": "none"})
    for partition in range(options.partitions):
        client.write(Seek(client.name, client.topic, partition, 0))
    library.assign([TopicPartition(client.topic, partition, 0) for partition in range(options.partitions)])
    while not client.stopping:
        for message in library.consume(100, timeout=0.1):
            if message.error() is None:
                client.write(Poll(client.name, client.topic, message.partition(), message.offset(),
                                  name_value(message.value())))
            elif message.error().code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                client.write(Fatal(client.name, str(message.error())))
    library.close()
    client.file.close()


def read_raw(options):
    """Reads short runs from anywhere in any partition: what was read once must be read again."""
    client = Client(options)
    while not client.stopping:
        try:
            with Connection(address_of(options), timeout=10) as connection:
                while not client.stopping:
                    read_run(client, connection, client.rng.randrange(options.partitions))
                    time.sleep(0.02)
        except (OSError, Closed):
            time.sleep(0.02)
    client.file.close()


def read_run(client, connection, partition):
    end = connection.list_offset(client.topic, -1, partition)
    if end.error_code or end.offset < 1:
        return
    start = client.rng.randrange(end.offset) if client.rng.random() < 0.7 else max(0, end.offset - 5)
    part = connection.fetch(client.topic, start, partition=partition, maximum=2000)
    if part.error_code in RETRIABLE:
        return
    if part.error_code:
        client.write(Fatal(client.name, f"error {part.error_code} at {partition}@{start}, below the end {end.offset}"))
        return
    client.write(Seek(client.name, client.topic, partition, start))
    for one in batch.decode_all(part.records):
        for record in one.records:
            if record.offset >= start:
                client.write(Poll(client.name, client.topic, partition, record.offset, name_value(record.value)))


def address_of(options):
    host, _, port = options.bootstrap.rpartition(":")
    return host, int(port)


KINDS = {"produce-confluent": produce_confluent, "produce-kafka-python": produce_kafka_python,
         "produce-aiokafka": produce_aiokafka, "produce-raw": produce_raw, "read-confluent": read_confluent,
         "read-raw": read_raw}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name")
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--journal", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=200, help="records per second")
    parser.add_argument("--codec", default="none")
    parser.add_argument("--acks", default="all")
    parser.add_argument("--idempotent", action="store_true")
    options = parser.parse_args()
    if options.kind != "produce-confluent" and options.codec == "none":
        options.codec = None
    KINDS[options.kind](options)


if __name__ == "__main__":
    main()
