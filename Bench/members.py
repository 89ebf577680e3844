"""Members of a consumer group, by hand: 100 of them cost the bench less than one real client does.

JoinGroup 5, SyncGroup 3, Heartbeat 3, LeaveGroup 1. The leader hands out the partitions of one topic round robin.
"""

import asyncio
import struct
import time

from kafka import KafkaError, array, blob, find_coordinator, string

JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP = 11, 12, 13, 14
REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED = 27, 79
SESSION_MILLISECONDS, REBALANCE_MILLISECONDS = 30_000, 60_000


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values[0]

    def bytes(self, form="i"):
        count = max(self.take(form), 0)
        self.at += count
        return self.data[self.at - count:self.at]


class Member:
    """One member: joins, is assigned partitions, beats, joins again when it is told to."""

    def __init__(self, group, number):
        self.group, self.number = group, number
        self.id, self.generation, self.partitions = "", -1, []
        self.beating, self.is_leaving = None, False

    async def connect(self, port):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(self, key, version, body):
        header = struct.pack(">hhi", key, version, 7) + string("bench")
        self.writer.write(struct.pack(">i", len(header) + len(body)) + header + body)
        size = struct.unpack(">i", await self.reader.readexactly(4))[0]
        response = Reader(await self.reader.readexactly(size))
        response.take("i")
        return response

    async def join(self):
        """Joins until it has its partitions of a generation that lasts."""
        while True:
            joined = await self.ask(JOIN_GROUP, 5, self.join_body())
            joined.take("i")
            error, generation = joined.take("h"), joined.take("i")
            joined.bytes("h")
            leader, self.id = joined.bytes("h"), joined.bytes("h").decode()
            if error == MEMBER_ID_REQUIRED:
                continue
            self.check("JoinGroup", error)
            self.generation = generation
            if await self.sync(joined if leader == self.id.encode() else None):
                return

    def join_body(self):
        metadata = struct.pack(">h", 0) + array([string(self.group.topic)]) + struct.pack(">i", 0)
        return (string(self.group.name) + struct.pack(">ii", SESSION_MILLISECONDS, REBALANCE_MILLISECONDS)
                + string(self.id) + struct.pack(">h", -1) + string("consumer")
                + array([string("roundrobin") + blob(metadata)]))

    async def sync(self, joined):
        assignments = self.group.assign(joined) if joined else []
        body = (string(self.group.name) + struct.pack(">i", self.generation) + string(self.id) + struct.pack(">h", -1)
                + array(assignments))
        synced = await self.ask(SYNC_GROUP, 3, body)
        synced.take("i")
        error, assignment = synced.take("h"), Reader(synced.bytes())
        if error == REBALANCE_IN_PROGRESS:
            return False
        self.check("SyncGroup", error)
        assignment.take("h")
        assignment.take("i")
        assignment.bytes("h")
        self.partitions = [assignment.take("i") for _ in range(assignment.take("i"))]
        return True

    async def beat(self):
        """Beats until it leaves; joins again when a rebalance has begun."""
        await asyncio.sleep(self.group.interval * self.number / self.group.size)
        while not self.is_leaving:
            body = string(self.group.name) + struct.pack(">i", self.generation) + string(self.id) + struct.pack(">h", -1)
            beat = await self.ask(HEARTBEAT, 3, body)
            beat.take("i")
            error = beat.take("h")
            if error == REBALANCE_IN_PROGRESS:
                await self.join()
                self.group.settled()
            else:
                self.check("Heartbeat", error)
                await asyncio.sleep(self.group.interval)

    async def leave(self):
        self.is_leaving = True
        await self.beating
        self.check("LeaveGroup", (await self.ask(LEAVE_GROUP, 1, string(self.group.name) + string(self.id))).take("xxxxh"))

    def check(self, what, error):
        if error != 0:
            raise KafkaError(f"{what} of member {self.number}: error code {error}")


class Group:
    """`size` members of one group over the partitions of one topic; each beats every `interval` seconds."""

    def __init__(self, port, name, topic, partitions, size, interval):
        self.port, self.name, self.topic, self.partitions = port, name, topic, partitions
        self.size, self.interval = size, interval
        self.members, self.change = [], asyncio.Event()

    def assign(self, joined):
        ids = []
        for _ in range(joined.take("i")):
            ids.append(joined.bytes("h"))
            joined.bytes("h")
            joined.bytes()
        shares = [range(index, self.partitions, len(ids)) for index in range(len(ids))]
        return [struct.pack(">h", len(id)) + id + blob(
            struct.pack(">hi", 0, 1) + string(self.topic) + array([struct.pack(">i", part) for part in share])
            + struct.pack(">i", 0)) for id, share in zip(ids, shares)]

    def settled(self):
        self.change.set()

    def is_whole(self):
        """Whether all are of one generation, and every partition is somebody's, once."""
        held = sorted(part for member in self.members for part in member.partitions)
        return len({member.generation for member in self.members}) == 1 and held == list(range(self.partitions))

    async def whole(self, began):
        while not self.is_whole():
            self.change.clear()
            for member in self.members:
                if member.beating.done():
                    member.beating.result()
            await asyncio.wait_for(self.change.wait(), 60)
        return time.monotonic() - began

    async def add(self):
        member = Member(self, len(self.members))
        await member.connect(self.port)
        self.members.append(member)
        await member.join()
        member.beating = asyncio.create_task(member.beat())

    async def measure(self):
        """Seconds until everybody has its partitions again: after one has left, after one has come."""
        await asyncio.gather(*(self.add() for _ in range(self.size)))
        await self.whole(time.monotonic())
        leaver = self.members.pop()
        began = time.monotonic()
        await leaver.leave()
        left = await self.whole(began)
        began = time.monotonic()
        await self.add()
        came = await self.whole(began)
        for member in self.members:
            member.beating.cancel()
            member.writer.close()
        return left, came


def rebalance(port, topic, partitions, size, interval, name="bench-members"):
    async def run():
        return await Group(port, name, topic, partitions, size, interval).measure()

    find_coordinator(port, name)
    return asyncio.run(run())
