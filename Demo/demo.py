#!/usr/bin/env python3
"""Sends what this machine says into a running Millrace, with a real Kafka client, and shows it arriving.

Three topics: demo.logs (lines of this machine's own logs), demo.processes (the busiest processes) and demo.host
(load, memory, disk), each figure a JSON record. kcat writes them; `millrace consume` and kcat read them back.
"""
import argparse
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

HOST = socket.gethostname()


def log_lines(limit):
    """The newest lines of the journal, else of the files under /var/log that may be read."""
    if shutil.which("journalctl"):
        out = subprocess.run(["journalctl", "-n", str(limit), "-o", "short-iso", "--no-pager", "-q"],
                             capture_output=True, text=True, errors="replace")
        lines = [line for line in out.stdout.splitlines() if line]
        if lines:
            return [("journal", line) for line in lines]
    lines = []
    for path in sorted(glob.glob("/var/log/**/*.log", recursive=True)):
        try:
            with open(path, errors="replace") as file:
                lines += [(os.path.basename(path), line.rstrip("\n")) for line in file if line.strip()]
        except OSError:
            continue
    return lines[-limit:]


def host_figures():
    """Load, memory and disk, from /proc."""
    one, five, fifteen = os.getloadavg()
    memory = {}
    with open("/proc/meminfo") as file:
        for line in file:
            name, value = line.split(":")
            memory[name] = int(value.split()[0]) * 1024
    disk = shutil.disk_usage(".")
    return {"host": HOST, "time": time.time(), "load1": one, "load5": five, "load15": fifteen,
            "memory_available_bytes": memory["MemAvailable"], "memory_total_bytes": memory["MemTotal"],
            "disk_free_bytes": disk.free, "disk_total_bytes": disk.total}


def process_figures(count):
    """The processes with the most CPU time, from /proc/PID/stat."""
    tick, found = os.sysconf("SC_CLK_TCK"), []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as file:
                text = file.read()
        except OSError:
            continue
        name, fields = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        found.append({"host": HOST, "pid": int(text.split()[0]), "name": name,
                      "cpu_seconds": (int(fields[11]) + int(fields[12])) / tick,
                      "rss_bytes": int(fields[21]) * os.sysconf("SC_PAGE_SIZE")})
    return sorted(found, key=lambda process: -process["cpu_seconds"])[:count]


class Producer:
    """kcat, writing key<TAB>value lines of its STDIN to one topic."""

    def __init__(self, broker, topic):
        self.topic, self.sent = topic, 0
        self.process = subprocess.Popen(
            ["kcat", "-q", "-P", "-b", broker, "-t", topic, "-K", "\t", "-X", "linger.ms=50"],
            stdin=subprocess.PIPE, text=True, errors="replace")

    def send(self, key, value):
        self.process.stdin.write(f"{key}\t{value}\n")
        self.sent += 1

    def flush(self):
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        if self.process.wait(timeout=30) != 0:
            sys.exit(f"kcat could not write to {self.topic}; is the server running? Start it with: make run")


def show_arrivals(command, label, stop):
    """Prints each line that a consumer reads, as it arrives."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace")
    stop.append(process)
    for line in process.stdout:
        print(f"  {label}  {line.rstrip()[:150]}", flush=True)


def wait_for_server(broker):
    host, port = broker.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
    except OSError as error:
        sys.exit(f"no server at {broker} ({error}). Start it in another terminal with: make run")


def count_stored(broker, topic, tag):
    """Reads the topic with kcat from the beginning and counts the records whose key carries this run's tag."""
    out = subprocess.run(["kcat", "-q", "-C", "-e", "-b", broker, "-t", topic, "-o", "beginning", "-f", "%k\n"],
                         capture_output=True, text=True, errors="replace", timeout=60)
    return sum(1 for key in out.stdout.splitlines() if key.endswith(tag))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", default="127.0.0.1:9092", help="the Kafka address (default %(default)s)")
    parser.add_argument("--millrace", default=".build/release/millrace", help="the binary (default %(default)s)")
    parser.add_argument("--seconds", type=int, default=10, help="how long to send figures (default %(default)s)")
    parser.add_argument("--lines", type=int, default=2000, help="how many log lines to send (default %(default)s)")
    arguments = parser.parse_args()

    wait_for_server(arguments.broker)
    tag = f"#{os.getpid()}-{int(time.time())}"
    producers = {name: Producer(arguments.broker, "demo." + name) for name in ("logs", "processes", "host")}
    print(f"Sending this machine's logs, processes and host figures to {arguments.broker} with kcat.", flush=True)

    for source, line in log_lines(arguments.lines):
        producers["logs"].send(source + tag, line)
    producers["logs"].flush()
    producers["host"].send(HOST + tag, json.dumps(host_figures()))
    producers["host"].flush()
    time.sleep(1)

    print("Arriving, read back with `millrace consume --follow`:", flush=True)
    consumers = []
    for name in ("host", "processes"):
        command = [arguments.millrace, "consume", "demo." + name, "--bootstrap", arguments.broker, "--from", "end",
                   "--follow", "--format", "offset %o  %s\\n"]
        threading.Thread(target=show_arrivals, args=(command, f"demo.{name:<10}", consumers), daemon=True).start()
    time.sleep(1)

    for _ in range(arguments.seconds):
        producers["host"].send(HOST + tag, json.dumps(host_figures()))
        for process in process_figures(3):
            producers["processes"].send(process["name"] + tag, json.dumps(process))
        for producer in producers.values():
            producer.flush()
        time.sleep(1)
    for producer in producers.values():
        producer.close()
    time.sleep(1)
    for process in consumers:
        process.terminate()

    print("Counted again with kcat, from the log:", flush=True)
    failed = False
    for name, producer in producers.items():
        stored = count_stored(arguments.broker, producer.topic, tag)
        failed |= stored != producer.sent
        print(f"  {producer.topic:<16} sent {producer.sent:>6}   stored {stored:>6}")
    if failed:
        sys.exit("some records did not arrive")
    print(f"Look further:  {arguments.millrace} topic list   {arguments.millrace} consume demo.logs --from -10")


if __name__ == "__main__":
    main()
