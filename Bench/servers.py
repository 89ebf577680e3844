"""Starts, measures and stops the servers: Millrace, the C peer, JetStream."""

import mmap
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

import programs
from programs import BenchError

READY_SECONDS = 30
STOP_SECONDS = 20
# A server is at rest when it used less than this much CPU in each of two steps.
REST_STEP_SECONDS, REST_CPU_SECONDS, REST_LIMIT_SECONDS = 0.05, 0.0005, 5.0


def make_directory(parent):
    """A new directory for a server's data. A memory file system would make every sync a lie."""
    os.makedirs(parent, exist_ok=True)
    kind = subprocess.run(["stat", "-f", "-c", "%T", parent], capture_output=True, text=True).stdout.strip()
    if kind in ("tmpfs", "ramfs"):
        raise BenchError(f"{parent} is on {kind}; name a directory on a disk with --directory")
    return tempfile.mkdtemp(prefix="bench-", dir=parent)


class Server:
    """A process under measurement, with its data in a directory of its own that goes with it."""

    def __init__(self, name, parent):
        self.name = name
        self.directory = make_directory(parent)
        self.data = os.path.join(self.directory, "data")
        os.makedirs(self.data)
        self.log = os.path.join(self.directory, "log")
        self.process = None
        self.topics = 0

    def spawn(self, command, environment=None):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env={**os.environ, **(environment or {})}, close_fds=False)

    def read_ready_line(self):
        deadline, line = time.monotonic() + READY_SECONDS, b""
        descriptor = self.process.stdout.fileno()
        while b"\n" not in line:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([descriptor], [], [], wait)[0]:
                raise BenchError(f"{self.name} was not ready within {READY_SECONDS} s")
            part = os.read(descriptor, 4096)
            if not part:
                raise BenchError(f"{self.name} ended at its start: {self.tail()}")
            line += part
        fields = line.decode().split("\n")[0].split()
        return dict(field.split("=", 1) for field in fields if "=" in field)

    def tail(self):
        with open(self.log, "rb") as log:
            return log.read().decode(errors="replace")[-600:].strip()

    def cpu(self):
        """User and system time of the whole process, threads that have ended included, in seconds."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def rest(self):
        """Waits until the server has done what it has put off: syncs, deletions."""
        deadline, calm, before = time.monotonic() + REST_LIMIT_SECONDS, 0, self.cpu()
        while calm < 2 and time.monotonic() < deadline:
            time.sleep(REST_STEP_SECONDS)
            after = self.cpu()
            calm = calm + 1 if after - before < REST_CPU_SECONDS else 0
            before = after
        return before

    def resident_bytes(self):
        return self.status("VmRSS")

    def resident_peak_bytes(self):
        """The most that the process ever had."""
        return self.status("VmHWM")

    def status(self, name):
        with open(f"/proc/{self.process.pid}/status") as status:
            for line in status:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) * 1024
        raise BenchError(f"no {name}")

    def measure(self, *words, program="load", **options):
        """Runs a generator against this server, and adds the CPU that the server used for it, until it rests."""
        before = self.rest()
        result = programs.run(program, *words, port=self.port, **options)
        result["cpu"] = self.rest() - before
        return result

    def end(self, how):
        """Ends the process with a signal; the data stay."""
        self.process.send_signal(how)
        self.process.wait(STOP_SECONDS)
        self.process.stdout.close()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                programs.say(f"{self.name} did not stop within {STOP_SECONDS} s of SIGTERM; killed")
        if self.process is not None:
            self.process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Millrace(Server):
    def __init__(self, binary, parent, counted=False, environment=None):
        super().__init__("millrace", parent)
        self.counts = os.path.join(self.directory, "counts")
        self.command = [binary, "serve", "--data", self.data, "--kafka-listen", "127.0.0.1:0",
                        "--http-listen", "127.0.0.1:0", "--grpc-listen", "127.0.0.1:0"]
        preload = {"LD_PRELOAD": programs.path("malloc_count.so"), "BENCH_COUNTS": self.counts}
        self.environment = {**(preload if counted else {}), **(environment or {})}
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        began = time.monotonic()
        self.spawn(self.command, self.environment)
        ready = self.read_ready_line()
        self.start_seconds = time.monotonic() - began
        self.port = int(ready["kafka"].rsplit(":", 1)[1])
        self.http_port = int(ready["http"].rsplit(":", 1)[1])

    def restart(self, how):
        """Ends the server with a signal and starts it again on its data; `start_seconds` tells how long that took."""
        self.end(how)
        self.start()

    def stored_bytes(self):
        """What the views take on the disk, manifests and indexes included."""
        return directory_bytes(os.path.join(self.data, "views"))

    def counters(self):
        """Allocations, allocated bytes, frees, syncs, started writebacks so far (started with counted=True)."""
        with open(self.counts, "rb") as file, mmap.mmap(file.fileno(), 40, access=mmap.ACCESS_READ) as counts:
            names = ("allocations", "bytes", "frees", "syncs", "writebacks")
            return dict(zip(names, struct.unpack("=5Q", counts[:40])))

    def metrics(self):
        """The samples of /metrics by name with labels; empty if there are none."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics", timeout=5) as response:
                text = response.read().decode()
        except OSError:
            return {}
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {line[0]: float(line[1]) for line in lines if len(line) == 2}


def directory_bytes(path):
    """What all files below a directory take on the disk: what was set aside and never written does not count."""
    found = 0
    for parent, _, names in os.walk(path):
        for name in names:
            try:
                found += os.stat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                pass
    return found


class Peer(Server):
    def __init__(self, parent, **options):
        super().__init__("peer", parent)
        command = [programs.path("peer"), "--directory", self.data]
        for option, value in options.items():
            command += ["--" + option.replace("_", "-"), str(value)]
        try:
            self.spawn(command)
            self.port = int(self.read_ready_line()["port"])
        except BaseException:
            self.stop()
            raise


class JetStream(Server):
    """Debian's nats-server, alone, file storage, everything else as it comes: nothing synced before an answer."""

    def __init__(self, parent):
        super().__init__("nats-server", parent)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        try:
            self.spawn(["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", self.data])
            self.wait_for_port()
        except BaseException:
            self.stop()
            raise

    def wait_for_port(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
        raise BenchError(f"nats-server was not ready within {READY_SECONDS} s: {self.tail()}")
