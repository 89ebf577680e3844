"""One member of a consumer group: aiokafka. A process each; see `members`."""

import asyncio

from aiokafka import AIOKafkaConsumer

try:
    from aiokafka.coordinator.assignors.range import RangePartitionAssignor
    from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
    from aiokafka.errors import KafkaError
except ImportError:  # Before 0.9.
    from kafka.coordinator.assignors.range import RangePartitionAssignor
    from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
    from kafka.errors import KafkaError

_assignors = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}
STRATEGIES = tuple(_assignors)
_loop = asyncio.new_event_loop()
_consumer = None


def join(bootstrap, group, topics, strategy="range", instance=None, session=6000):
    static = {"group_instance_id": instance} if instance else {}

    async def start():
        global _consumer
        _consumer = AIOKafkaConsumer(
            *topics, bootstrap_servers=bootstrap, group_id=group,
            partition_assignment_strategy=[_assignors[strategy]], session_timeout_ms=session,
            heartbeat_interval_ms=100, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50,
            retry_backoff_ms=50, **static)
        await _consumer.start()

    _loop.run_until_complete(start())


def poll(seconds):
    """See `confluent_member.poll`."""
    async def run():
        rows = [(r.topic, r.partition, r.offset, r.value)
                for records in (await _consumer.getmany(timeout_ms=int(1000 * seconds))).values() for r in records]
        if rows:
            try:
                await _consumer.commit()
            except KafkaError:
                pass  # Another member has the partition by now, or the broker is away: it will come again.
        return rows

    rows = _loop.run_until_complete(run())
    return rows, sorted((one.topic, one.partition) for one in _consumer.assignment())


def leave():
    _loop.run_until_complete(_consumer.stop())
