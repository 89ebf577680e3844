"""Debian's influxd on free ports of the loopback, with its data in a directory that goes with it."""

import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

READY_SECONDS = 30
STOP_SECONDS = 20

# Everything as it comes, but: nothing leaves the machine, no measurements of its own, no log of requests.
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"

[meta]
  dir = "{directory}/meta"
[data]
  dir = "{directory}/data"
  wal-dir = "{directory}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[[udp]]
  enabled = false
[logging]
  level = "error"
  suppress-logo = true
"""


def installed():
    """Whether there is an influxd to ask."""
    return shutil.which("influxd") is not None


def free_ports(count):
    """Ports of the loopback that nobody has now; all are held until the last is known."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class InfluxServer:
    """A context: starts the server, and ends it and removes its data afterwards."""

    def __init__(self, parent=None):
        self.directory = tempfile.mkdtemp(prefix="influx-", dir=parent)
        self.port, rpc = free_ports(2)
        self.configuration = f"{self.directory}/influxdb.conf"
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION.format(directory=self.directory, http=self.port, rpc=rpc))
        self.process = None

    @property
    def address(self):
        return "127.0.0.1", self.port

    def start(self):
        with open(f"{self.directory}/log", "ab") as log:
            self.process = subprocess.Popen(["influxd", "-config", self.configuration], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=1).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        with open(f"{self.directory}/log") as log:
            raise RuntimeError(f"influxd is not ready: {log.read()[-2000:]}")

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
