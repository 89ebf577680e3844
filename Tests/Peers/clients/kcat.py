"""kcat, with Debian's librdkafka under it."""

import json
import subprocess

from . import TIMEOUT_SECONDS, Message, Options

SETS_TIMESTAMPS = False
HAS_ACKS_0 = HAS_IDEMPOTENCE = True


def run(bootstrap, *arguments, text=None):
    """What kcat writes on STDOUT; its STDERR is the message of the error if it fails."""
    command = ["kcat", "-b", bootstrap, "-m", str(TIMEOUT_SECONDS), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, timeout=2 * TIMEOUT_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode()


def produce(bootstrap, topic, messages, options=Options()):
    """One kcat per partition. Every message must carry the same headers; null keys and values are empty fields."""
    settings = {"acks": options.acks, "enable.idempotence": str(options.idempotent).lower(), **options.more}
    for partition in sorted({message.partition for message in messages}):
        chosen = [message for message in messages if message.partition == partition]
        lines = b"".join((m.key or b"") + b":" + (m.value or b"") + b"\n" for m in chosen)
        headers = [word for name, value in chosen[0].headers for word in ("-H", f"{name}={value.decode()}")]
        extra = [word for name, value in settings.items() for word in ("-X", f"{name}={value}")]
        run(bootstrap, "-P", "-t", topic, "-p", str(partition), "-K", ":", "-Z", "-z", options.codec or "none",
            *headers, *extra, text=lines)


def consume(bootstrap, starts, count, more=None):
    """Until the end of each partition: kcat knows how to stop there, not how to count across partitions."""
    messages = []
    for (topic, partition), offset in starts.items():
        out = run(bootstrap, "-C", "-t", topic, "-p", str(partition), "-o", str(offset), "-e", "-q", "-J",
                  "-X", "fetch.wait.max.ms=20")
        for line in out.splitlines():
            got = json.loads(line)
            names = got.get("headers") or []
            headers = tuple((names[i], names[i + 1].encode()) for i in range(0, len(names), 2))
            key, value = (None if got[name] is None else got[name].encode() for name in ("key", "payload"))
            messages.append(Message(value, key, headers, got["ts"], got["offset"], got["partition"], got["topic"]))
    return messages[:count]


def offset_for_time(bootstrap, topic, partition, timestamp):
    # "topic [0] offset 17"
    return int(run(bootstrap, "-Q", "-t", f"{topic}:{partition}:{timestamp}").split()[-1])


def watermarks(bootstrap, topic, partition):
    return offset_for_time(bootstrap, topic, partition, -2), offset_for_time(bootstrap, topic, partition, -1)


def list_topics(bootstrap):
    listed = json.loads(run(bootstrap, "-L", "-J"))
    return {topic["topic"]: len(topic["partitions"]) for topic in listed["topics"]}


def brokers(bootstrap):
    listed = json.loads(run(bootstrap, "-L", "-J"))
    return [(name.rsplit(":", 1)[0], int(name.rsplit(":", 1)[1])) for name in (b["name"] for b in listed["brokers"])]
