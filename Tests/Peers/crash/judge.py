"""Did the server keep its promises? A pure function from events to violations.

Events of one client must be in their order; how those of different clients interleave does not matter.
"""

from collections import defaultdict
from typing import NamedTuple


class Violation(NamedTuple):
    """A broken promise: which one, and what exactly happened."""

    rule: str
    detail: str


LOST = "lost"  # An acknowledged record is not there, or not at its offset.
VANISHED = "vanished"  # A record that a reader saw is not there any more.
CHANGED = "changed"  # An offset has, or had, two values.
DUPLICATE = "duplicate"  # A record of an idempotent producer is there twice.
REORDERED = "reordered"  # Records are not in the order in which they were sent.
PHANTOM = "phantom"  # A record that nobody sent, or a damaged one.
GAP = "gap"  # A reader was led past an offset, or back.
FATAL = "fatal"  # A client was told something that it could not go on with.
TOPIC = "topic"  # A topic was lost, or came back.
SHOWN_PER_RULE = 20


class Judge:
    """Takes events one at a time; `verdict` afterwards."""

    def __init__(self):
        self.violations = []
        self.producers = {}
        self.sent = defaultdict(dict)  # (producer, topic, partition): value to position in the order of sends
        self.acked = defaultdict(dict)  # (topic, partition): value to offset
        self.seen = defaultdict(dict)  # (topic, partition): offset to value, by whoever came first
        self.next = {}  # (reader, topic, partition): the offset that it must see next
        self.final = defaultdict(list)  # (topic, partition): (offset, value)
        self.created, self.deleting, self.deleted, self.listed = set(), set(), set(), set()
        self.counts = defaultdict(int)

    def take(self, event):
        self.counts[type(event).__name__] += 1
        getattr(self, "_take_" + type(event).__name__.lower())(event)

    def _add(self, rule, detail):
        self.violations.append(Violation(rule, detail))

    def _take_producer(self, event):
        self.producers[event.name] = event

    def _take_send(self, event):
        order = self.sent[event.producer, event.topic, event.partition]
        order[event.value] = len(order)

    def _take_ack(self, event):
        self.acked[event.topic, event.partition][event.value] = event.offset
        if event.offset >= 0:
            self._see(event.topic, event.partition, event.offset, event.value, f"acknowledged to {event.producer}")

    def _take_seek(self, event):
        self.next[event.reader, event.topic, event.partition] = event.offset

    def _take_poll(self, event):
        reader = event.reader, event.topic, event.partition
        expected = self.next.get(reader, event.offset)
        if event.offset != expected:
            self._add(GAP, f"{event.reader} got {event.topic}/{event.partition}@{event.offset}, not {expected}")
        self.next[reader] = event.offset + 1
        self._see(event.topic, event.partition, event.offset, event.value, f"seen by {event.reader}")

    def _take_final(self, event):
        self.final[event.topic, event.partition].append((event.offset, event.value))

    def _take_fatal(self, event):
        self._add(FATAL, f"{event.client}: {event.reason}")

    def _take_created(self, event):
        self.created.add(event.topic)

    def _take_deleting(self, event):
        self.deleting.add(event.topic)

    def _take_deleted(self, event):
        self.deleted.add(event.topic)

    def _take_listed(self, event):
        self.listed.add(event.topic)

    def _see(self, topic, partition, offset, value, how):
        before = self.seen[topic, partition].setdefault(offset, value)
        if before != value:
            self._add(CHANGED, f"{topic}/{partition}@{offset} was {before}, and {value} {how}")

    def verdict(self):
        """Every violation, after the last event."""
        for place in sorted(set(self.acked) | set(self.seen) | set(self.final)):
            self._judge_partition(*place)
        for topic in sorted(self.created - self.deleting - self.listed):
            self._add(TOPIC, f"{topic} was created and is gone")
        for topic in sorted(self.deleted & self.listed):
            self._add(TOPIC, f"{topic} was deleted and is back")
        return self.violations

    def _judge_partition(self, topic, partition):
        place = f"{topic}/{partition}"
        rows = self.final[topic, partition]
        offsets_of = defaultdict(list)
        for position, (offset, value) in enumerate(rows):
            if offset != rows[0][0] + position:
                self._add(GAP, f"the last reading of {place} has {offset} in place of {rows[0][0] + position}")
                break
        for offset, value in rows:
            offsets_of[value].append(offset)
        there = dict(rows)
        for offset, value in sorted(self.seen[topic, partition].items()):
            if offset not in there:
                self._add(VANISHED, f"{place}@{offset} was {value}, and is gone")
            elif there[offset] != value:
                self._add(CHANGED, f"{place}@{offset} was {value}, and is {there[offset]}")
        for value, offset in self.acked[topic, partition].items():
            if value not in offsets_of or offset >= 0 and offset not in offsets_of[value]:
                self._add(LOST, f"{value} was acknowledged at {place}@{offset}, and is not there")
        self._judge_producers(topic, partition, rows, offsets_of)

    def _judge_producers(self, topic, partition, rows, offsets_of):
        place = f"{topic}/{partition}"
        last = {}
        for value, offsets in offsets_of.items():
            name = value.partition(":")[0]
            order = self.sent.get((name, topic, partition), {})
            if value not in order:
                self._add(PHANTOM, f"{value} at {place}@{offsets[0]} was never sent there")
                continue
            producer = self.producers[name]
            if producer.idempotent and len(offsets) > 1:
                self._add(DUPLICATE, f"{value} is at {place}@{offsets}")
            # `offsets_of` is in the order of first appearance.
            if producer.ordered and order[value] < last.get(name, (-1, ""))[0]:
                self._add(REORDERED, f"{value} at {place}@{offsets[0]} comes after {last[name][1]}")
            last[name] = max(last.get(name, (-1, "")), (order[value], value))


def judge(events):
    """The violations in `events`, none if every promise was kept."""
    one = Judge()
    for event in events:
        one.take(event)
    return one.verdict()


def describe(violations):
    """A few lines per rule, for people."""
    lines = []
    for rule in sorted({violation.rule for violation in violations}):
        of_rule = [violation.detail for violation in violations if violation.rule == rule]
        lines.append(f"{rule}: {len(of_rule)}")
        lines += [f"  {detail}" for detail in of_rule[:SHOWN_PER_RULE]]
    return "\n".join(lines)
