#!/usr/bin/env python3
"""Measures Millrace against its peers and prints a table: what, figures, ratio, goal, met or not.

README.md in this folder says what each row means. Progress goes to STDERR.
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import time

import programs
import report
import rows


def processor():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "?"


def machine():
    return {
        "processor": processor(), "cores": os.cpu_count(), "kernel": platform.release(),
        "loadAverageBefore": round(os.getloadavg()[0], 2), "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON with every round instead of the table")
    parser.add_argument("--quick", action="store_true", help="less of everything: two minutes instead of ten")
    parser.add_argument("--only", action="append", choices=rows.ROWS, help="measure this alone; may be repeated")
    parser.add_argument("--check", action="store_true", help="end with status 1 when a goal is missed")
    parser.add_argument("--millrace", default=os.path.join(programs.ROOT, ".build/release/millrace"), help="the binary")
    parser.add_argument("--directory", default=os.path.join(programs.ROOT, ".build"),
                        help="where the servers' data goes for a while; a disk, not memory")
    return parser.parse_args()


def main():
    arguments = parse()
    if not os.access(arguments.millrace, os.X_OK):
        sys.exit(f"{arguments.millrace} is not there: `make build` first, or name it with --millrace")
    programs.build()
    about, began = machine(), time.monotonic()
    if about["loadAverageBefore"] > 0.5:
        programs.say(f"other work is going on (load average {about['loadAverageBefore']}): wall times will suffer")
    bench = rows.Bench(os.path.abspath(arguments.millrace), arguments.directory, arguments.quick)
    found = rows.measure(bench, arguments.only or list(rows.ROWS))
    about["seconds"] = round(time.monotonic() - began, 1)
    if arguments.json:
        print(json.dumps({"machine": about, "rows": [dataclasses.asdict(row) for row in found]}, indent=1))
    else:
        print("  ".join(f"{name}={value}" for name, value in about.items()) + "\n")
        print(report.table(found))
    failed = any(row.millrace == "failed" for row in found)
    sys.exit(1 if failed or (arguments.check and any(row.met is False for row in found)) else 0)


if __name__ == "__main__":
    main()
