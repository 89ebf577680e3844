"""aiokafka: asyncio."""

import asyncio
import time

import aiokafka
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

from . import TIMEOUT_SECONDS, Message, Options

if aiokafka.__version__ >= "0.9":
    from aiokafka import TopicPartition
else:
    from kafka import TopicPartition

SETS_TIMESTAMPS = HAS_ACKS_0 = HAS_IDEMPOTENCE = True


def produce(bootstrap, topic, messages, options=Options()):
    async def run():
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=options.codec, acks=options.acks,
                                    enable_idempotence=options.idempotent, linger_ms=5, **options.more)
        await producer.start()
        try:
            futures = [await producer.send(topic, m.value, m.key, m.partition, m.timestamp, list(m.headers))
                       for m in messages]
            sent = [await asyncio.wait_for(future, TIMEOUT_SECONDS) for future in futures]
        finally:
            await producer.stop()
        return [None if one is None else one.offset for one in sent]

    return asyncio.run(run())


def _with_consumer(bootstrap, work, more=None):
    async def run():
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False,
                                    auto_offset_reset="none", **(more or {}))
        await consumer.start()
        try:
            return await work(consumer)
        finally:
            await consumer.stop()

    return asyncio.run(run())


def consume(bootstrap, starts, count, more=None):
    async def work(consumer):
        consumer.assign([TopicPartition(*name) for name in starts])
        for name, offset in starts.items():
            consumer.seek(TopicPartition(*name), offset)
        messages, deadline = [], time.monotonic() + TIMEOUT_SECONDS
        while len(messages) < count and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                messages.extend(Message(r.value, r.key, tuple(map(tuple, r.headers)), r.timestamp, r.offset,
                                        r.partition, r.topic) for r in records)
        return messages

    return _with_consumer(bootstrap, work, more)


def offset_for_time(bootstrap, topic, partition, timestamp):
    async def work(consumer):
        name = TopicPartition(topic, partition)
        found = (await consumer.offsets_for_times({name: timestamp}))[name]
        return -1 if found is None else found.offset

    return _with_consumer(bootstrap, work)


def watermarks(bootstrap, topic, partition):
    async def work(consumer):
        name = TopicPartition(topic, partition)
        return (await consumer.beginning_offsets([name]))[name], (await consumer.end_offsets([name]))[name]

    return _with_consumer(bootstrap, work)


def _with_admin(bootstrap, work):
    async def run():
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            return await work(admin)
        finally:
            await admin.close()

    return asyncio.run(run())


def _raise_errors(results):
    """The library hands out error codes; rows are (name, code, …)."""
    for name, code, *_ in results:
        if code:
            raise for_code(code)(name)


def create_topics(bootstrap, partitions):
    topics = [NewTopic(name, count, 1) for name, count in partitions.items()]
    _raise_errors(_with_admin(bootstrap, lambda admin: admin.create_topics(topics)).topic_errors)


def delete_topics(bootstrap, names):
    _raise_errors(_with_admin(bootstrap, lambda admin: admin.delete_topics(list(names))).topic_error_codes)


def list_topics(bootstrap):
    found = _with_admin(bootstrap, lambda admin: admin.describe_topics())
    return {topic["topic"]: len(topic["partitions"]) for topic in found}


def brokers(bootstrap):
    found = _with_admin(bootstrap, lambda admin: admin.describe_cluster())
    return [(broker["host"], broker["port"]) for broker in found["brokers"]]
