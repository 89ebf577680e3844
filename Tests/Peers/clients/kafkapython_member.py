"""One member of a consumer group: kafka-python. A process each; see `members`."""

import kafka
from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import KafkaError

_assignors = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}
try:
    from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    _assignors["cooperative-sticky"] = CooperativeStickyAssignor
except ImportError:
    pass  # Version 3 brought it.

STRATEGIES = tuple(_assignors)
_consumer = None


def join(bootstrap, group, topics, strategy="range", instance=None, session=6000):
    global _consumer
    static = {"group_instance_id": instance} if instance else {}
    _consumer = KafkaConsumer(
        *topics, bootstrap_servers=bootstrap, group_id=group,
        partition_assignment_strategy=[_assignors[strategy]], session_timeout_ms=session, heartbeat_interval_ms=100,
        enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50, reconnect_backoff_max_ms=200,
        **static)


def poll(seconds):
    """See `confluent_member.poll`."""
    rows = [(r.topic, r.partition, r.offset, r.value)
            for records in _consumer.poll(int(1000 * seconds)).values() for r in records]
    if rows:
        try:
            _consumer.commit()
        except KafkaError:
            pass  # Another member has the partition by now, or the broker is away: it will come again.
    return rows, sorted((one.topic, one.partition) for one in _consumer.assignment())


def leave():
    _consumer.close()
