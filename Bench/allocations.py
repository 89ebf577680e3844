#!/usr/bin/env python3
"""Heap allocations per request in steady state, and the gate on them.

The server runs with malloc_count.so preloaded; its counters are read before and after many requests. The
thresholds are kept per Swift version in thresholds.json: a new compiler may count differently.
"""

import argparse
import json
import os
import re
import subprocess
import sys

import kafka
import programs
from programs import BenchError
from servers import Millrace

THRESHOLDS = os.path.join(programs.HERE, "thresholds.json")
WARM_UP, FEW, MANY = 4_000, 2_000, 22_000
# More than this is a bug whatever the thresholds say.
GOAL = 10.0

BATCH = {"batch_bytes": 65536, "batch_records": 64}
FETCH = {"maximum_bytes": 65536, "end_offset": 64 * 256, **BATCH}
CASES = {
    "produce acks=1, one in flight": ("produce", {"in_flight": 1, "acks": 1}),
    "produce acks=1, 16 in flight": ("produce", {"in_flight": 16, "acks": 1}),
    "produce acks=all, one in flight": ("produce", {"in_flight": 1, "acks": -1}),
    "produce acks=all, 16 in flight": ("produce", {"in_flight": 16, "acks": -1}),
    "produce 64 KB acks=1, one in flight": ("produce", {"in_flight": 1, "acks": 1, **BATCH}),
    "fetch 64 KB, one in flight": ("fetch", {"in_flight": 1, **FETCH}),
    "fetch 64 KB, 4 in flight": ("fetch", {"in_flight": 4, **FETCH}),
}


def count(server, words, requests, load):
    before = server.counters()["allocations"]
    server.measure(words, requests=requests, **load)
    return server.counters()["allocations"] - before


def measure(binary, directory, progress):
    """Allocations per request by case: the difference of a long and a short run, so that what a connection needs
    is not in it."""
    found = {}
    with Millrace(binary, directory, counted=True) as server:
        for name in ("small", "hot"):
            kafka.create_topic(server.port, name)
        server.measure("produce", topic="hot", requests=256, connections=1, acks=-1, **BATCH)
        for case, (words, options) in CASES.items():
            progress(case)
            load = {"topic": "hot" if words == "fetch" else "small", "connections": 1, **options}
            count(server, words, WARM_UP, load)
            few, many = count(server, words, FEW, load), count(server, words, MANY, load)
            found[case] = round((many - few) / (MANY - FEW), 2)
    return found


def swift_version():
    """Major and minor version of the compiler on the path, `6.3`."""
    text = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    match = re.search(r"Swift version (\d+\.\d+)", text)
    if match is None:
        raise BenchError("`swift --version` names no version")
    return match.group(1)


def load_thresholds():
    with open(THRESHOLDS) as file:
        return json.load(file)


def record(version, found):
    """Writes what was found, with a tenth and half an allocation on top, as this version's thresholds."""
    thresholds = load_thresholds()
    thresholds[version] = {case: min(round(per_request * 1.1 + 0.5, 1), GOAL) for case, per_request in found.items()}
    with open(THRESHOLDS, "w") as file:
        json.dump(thresholds, file, indent=2)
        file.write("\n")


def over(thresholds, found):
    """The cases that are over their threshold; a case without one has the goal."""
    return [case for case, per_request in found.items() if per_request > thresholds.get(case, GOAL)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millrace", default=os.path.join(programs.ROOT, ".build/release/millrace"), help="the binary")
    parser.add_argument("--directory", default=os.path.join(programs.ROOT, ".build"), help="where data goes")
    parser.add_argument("--check", action="store_true", help="fail when a case is over its threshold")
    parser.add_argument("--record", action="store_true", help="write thresholds.json for this Swift version")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    version = swift_version()
    thresholds = load_thresholds().get(version, {})
    try:
        programs.build(["load", "malloc_count.so"])
        found = measure(arguments.millrace, arguments.directory, lambda text: programs.say(f"  {text}"))
    except (BenchError, kafka.KafkaError, OSError) as error:
        sys.exit(f"allocations: {error}")
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"allocations per request, Swift {version}")
        for case, per_request in found.items():
            print(f"  {case:<38} {per_request:6.2f}   at most {thresholds.get(case, GOAL):g}")
    if arguments.record:
        record(version, found)
    failed = over(thresholds, found)
    if arguments.check and failed:
        sys.exit("over the threshold: " + "; ".join(failed))


if __name__ == "__main__":
    main()
