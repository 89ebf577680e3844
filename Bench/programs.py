"""Builds the C programs and runs the generators."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(HERE, "build")

FLAGS = ["-O2", "-msse4.2", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
PROGRAMS = {
    "peer": (["peer.c", "peer_answers.c"], ["-lpthread"]),
    "load": (["load.c", "load_produce.c", "load_fetch.c", "load_commit.c"], []),
    "nats_load": (["nats_load.c"], []),
    "rdkafka_load": (["rdkafka_load.c"], ["-lrdkafka"]),
    "sync_probe": (["sync_probe.c"], ["-lpthread"]),
    "line_load": (["line_load.c", "points.c"], ["-lm", "-lpthread"]),
    "log_load": (["log_load.c", "log_lines.c"], ["-lm", "-lpthread", "-lsnappy"]),
    "malloc_count.so": (["malloc_count.c"], ["-shared", "-fPIC", "-ldl"]),
}
# A generator that has not ended by then has hung; the longest run writes the events to InfluxDB, a minute or two.
RUN_SECONDS = 300


class BenchError(Exception):
    """A row cannot be measured; the text says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def path(name):
    return os.path.join(BUILD, name)


def build(names=None):
    """Compiles what is older than its sources."""
    os.makedirs(BUILD, exist_ok=True)
    headers = [os.path.join(HERE, name) for name in os.listdir(HERE) if name.endswith(".h")]
    for name in names or PROGRAMS:
        sources, libraries = PROGRAMS[name]
        sources = [os.path.join(HERE, source) for source in sources]
        newest = max(os.path.getmtime(source) for source in sources + headers)
        if os.path.exists(path(name)) and os.path.getmtime(path(name)) > newest:
            continue
        say(f"cc {name}")
        subprocess.run(["cc", *FLAGS, "-o", path(name), *sources, *libraries], check=True)


def run(name, *words, **options):
    """Runs a generator to its end and returns its JSON. Options become flags: in_flight=5 is --in-flight 5."""
    return json.loads(run_text(name, *words, **options))


def run_text(name, *words, **options):
    """The same, and returns what it printed."""
    command = [path(name), *words]
    for option, value in options.items():
        command += ["--" + option.replace("_", "-"), str(value)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{name} did not end within {RUN_SECONDS} s") from None
    if result.returncode != 0:
        raise BenchError(f"{' '.join(command)}: {(result.stderr or result.stdout).strip()[-400:]}")
    return result.stdout
