#!/usr/bin/env python3
"""Asks the real InfluxDB what the scripts ask, and compares its answers with the recorded ones, or records them.

    Tests/Peers/influx/oracle.py                    # compare all
    Tests/Peers/influx/oracle.py --record where     # write the answers into where.txt; read the diff before you commit
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from influx import scripts  # noqa: E402 (the path comes first)
from influx.process import InfluxServer  # noqa: E402


def record(address, file):
    """The script's text with the answers of this server, a new one: some error texts tell a shard's number."""
    text, answers = file.read_bytes().decode(), []
    for command in scripts.parse(text):
        try:
            answers.append(command.run(address))
        except (OSError, RuntimeError) as error:
            raise SystemExit(f"{file.name}:{command.place}: {error}") from None
    return scripts.render(text, answers)


def difference(recorded, seen):
    """The first line that differs."""
    old, new = recorded.split("\n"), seen.split("\n")
    for number, (left, right) in enumerate(zip(old, new), 1):
        if left != right:
            return f"line {number}\n  recorded {left}\n  answered {right}"
    return f"{len(old)} lines recorded, {len(new)} answered"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="scripts by name, without .txt; default: all")
    parser.add_argument("--record", action="store_true", help="write the answers into the scripts")
    arguments = parser.parse_args()
    files = [scripts.DIRECTORY / f"{name}.txt" for name in arguments.names] or scripts.files()
    differing = 0
    for file in files:
        with InfluxServer() as server:
            recorded, seen = file.read_bytes().decode(), record(server.address, file)
        if arguments.record:
            file.write_bytes(seen.encode())
        elif recorded != seen:
            differing += 1
            print(f"{file.name}: {difference(recorded, seen)}")
    print(f"{len(files)} scripts, {sum(len(scripts.parse(file.read_bytes().decode())) for file in files)} commands"
          + ("" if arguments.record else f", {differing} scripts differ"))
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
