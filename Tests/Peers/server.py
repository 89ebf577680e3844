"""Starts, watches, kills and stops the binary under test."""

import collections
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from wire.connection import Connection

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 60


def binary():
    """MILLRACE_BINARY, else the newest of the release and the debug build."""
    named = os.environ.get("MILLRACE_BINARY")
    if named:
        return Path(named).resolve()
    built = [REPOSITORY / ".build" / kind / "millrace" for kind in ("release", "debug")]
    built = sorted((path for path in built if path.exists()), key=lambda path: path.stat().st_mtime)
    if not built:
        raise RuntimeError("no binary: run `make build`, or set MILLRACE_BINARY")
    return built[-1]


def filesystem_type(path):
    """The type of the filesystem that `path` is on, as the kernel names it."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, name, *_ = line.split()
        inside = str(path) == mount or str(path).startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, name
    return kind


def data_directory(prefix):
    """A fresh directory on a real disk: .build, or MILLRACE_TEST_DIRECTORY. A sync to tmpfs proves nothing."""
    parent = Path(os.environ.get("MILLRACE_TEST_DIRECTORY", REPOSITORY / ".build" / "peers")).resolve()
    parent.mkdir(parents=True, exist_ok=True)
    if filesystem_type(parent) == "tmpfs":
        raise RuntimeError(f"{parent} is on tmpfs: set MILLRACE_TEST_DIRECTORY to a directory on a disk")
    return Path(tempfile.mkdtemp(prefix=prefix + "-", dir=parent))


class Server:
    """One data directory, and the process that serves it. The ports stay the same across restarts."""

    def __init__(self, directory, data=None, flags=(), host="127.0.0.1", environment=None, open_files=None):
        self.directory = Path(directory)
        self.data = Path(data) if data else self.directory / "data"
        self.flags = list(flags)
        self.host = host
        self.environment = environment or {}
        self.open_files = open_files
        self.process = None
        self.ready = {}
        self.kafka_port = self.http_port = 0
        self.starts = 0

    # Life and death

    def spawn(self):
        """Starts the process without waiting for it to be ready."""
        self.starts += 1
        self.ready_file = self.directory / f"ready-{self.starts}"
        self.log_file = self.directory / f"log-{self.starts}"
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        command = [binary(), "serve", "--data", self.data, "--kafka-listen", f"{bracketed}:{self.kafka_port}",
                   "--http-listen", f"127.0.0.1:{self.http_port}", "--grpc-listen", "127.0.0.1:0",
                   "--ready-file", self.ready_file, *self.flags]
        self.spawned_at = time.monotonic()
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, env={**os.environ, **self.environment},
                                            preexec_fn=self._limit_open_files if self.open_files else None)

    def _limit_open_files(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, self.open_files)

    def wait_ready(self, seconds=START_SECONDS):
        """Seconds from the start of the process to its ready line."""
        while True:
            took = time.monotonic() - self.spawned_at
            text = self.ready_file.read_text() if self.ready_file.exists() else ""
            if text.endswith("\n"):
                break
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log_tail()}")
            if took > seconds:
                raise RuntimeError(f"not ready after {seconds} s:\n{self.log_tail()}")
            time.sleep(0.002)
        self.ready = dict(re.findall(r"(\w+)=(\S+)", text))
        assert text.startswith("ready "), text
        self.kafka_port = int(self.ready["kafka"].rsplit(":", 1)[1])
        self.http_port = int(self.ready["http"].rsplit(":", 1)[1])
        return took

    def start(self, seconds=START_SECONDS):
        self.spawn()
        return self.wait_ready(seconds)

    def kill(self):
        """kill -9, and the corpse is collected."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """SIGTERM; returns the exit status, which the contract says is 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"still there {STOP_SECONDS} s after SIGTERM:\n{self.log_tail()}") from None

    def restart(self, kill=True):
        self.kill() if kill else self.stop()
        return self.start()

    def discard(self):
        """Ends whatever runs and removes everything, unless MILLRACE_KEEP is set."""
        if self.process and self.process.poll() is None:
            self.kill()
        if not os.environ.get("MILLRACE_KEEP"):
            shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    # What is seen from outside

    @property
    def bootstrap(self):
        return f"{self.host}:{self.kafka_port}"

    def connect(self, timeout=20):
        return Connection((self.host, self.kafka_port), timeout)

    def log_text(self):
        return self.log_file.read_text(errors="replace")

    def log_tail(self, characters=4000):
        return self.log_text()[-characters:]

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=10) as response:
            return response.read().decode()

    def metrics(self):
        """Every sample of /metrics, `name{labels}` to value."""
        samples = {}
        for line in self.get("/metrics").splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def metric(self, name, **labels):
        """The sum over the children of a metric that carry these labels."""
        total = 0.0
        for sample, value in self.metrics().items():
            base, _, rest = sample.partition("{")
            if base == name and all(f'{key}="{wanted}"' in rest for key, wanted in labels.items()):
                total += value
        return total

    def _status(self, field):
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.M)[1])

    def resident_bytes(self):
        return self._status("VmRSS") * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def open_targets(self):
        """How often each target is open: sockets, pipes and other nameless things count as one target per kind."""
        targets = collections.Counter()
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(descriptor)
            except OSError:
                continue  # closed meanwhile
            targets[target if target.startswith("/") else target.split(":")[0]] += 1
        return targets

    def threads(self):
        return self._status("Threads")

    def check(self):
        """`millrace check` on the data of a server that does not run: (status, output)."""
        done = subprocess.run([str(binary()), "check", str(self.data)], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr
