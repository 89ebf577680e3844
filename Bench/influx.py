"""InfluxDB as a peer, and queries over a connection that stays open: the same client for both servers."""

import json
import os
import select
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import programs
from programs import BenchError
from servers import READY_SECONDS, Server, directory_bytes

QUERY_SECONDS = 120
# The defaults, but: nothing leaves the machine, no measurements of its own, and what it puts off (a snapshot of the
# cache after 10 minutes without writes, a full compaction after 4 hours) is done after some seconds, to be counted.
CONFIGURATION = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{data}/meta"
[data]
  dir = "{data}/data"
  wal-dir = "{data}/wal"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "{cold}"
  compact-full-write-cold-duration = "{cold}"
  max-series-per-database = 0
  max-values-per-tag = 0
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[logging]
  level = "error"
  suppress-logo = true
"""


class InfluxDB(Server):
    """Debian's influxd; `cold` is how long nothing is written before it flushes and compacts all."""

    def __init__(self, parent, cold="5s"):
        super().__init__("influxd", parent)
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.http_port, rpc = (one.getsockname()[1] for one in sockets)
        for one in sockets:
            one.close()
        self.configuration = os.path.join(self.directory, "influxdb.conf")
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION.format(data=self.data, http=self.http_port, rpc=rpc, cold=cold))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self):
        began = time.monotonic()
        self.spawn(["influxd", "-config", self.configuration])
        while time.monotonic() < began + READY_SECONDS * 4:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/ping", timeout=1).close()
                self.start_seconds = time.monotonic() - began
                return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.01)
        raise BenchError(f"influxd was not ready: {self.tail()}")

    def stored_bytes(self):
        """What its shards take on the disk; the write-ahead log, which is nearly empty by then, is not counted."""
        return directory_bytes(os.path.join(self.data, "data"))


class Client:
    """A connection to /query that stays open, unless the server announces that it closes it."""

    def __init__(self, port, database):
        self.port, self.database = port, database
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=QUERY_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def close(self):
        self.socket.close()

    def ask(self, text, method="GET"):
        """The body of the answer, and how many seconds it took."""
        query = urllib.parse.urlencode({"db": self.database, "q": text, "epoch": "ns"})
        request = f"{method} /query?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()
        if self.was_closed():
            self.close()
            self.open()
        began = time.perf_counter()
        self.socket.sendall(request)
        head = self.until(b"\r\n\r\n").decode().lower()
        if "transfer-encoding: chunked" in head:
            body = b"".join(iter(self.chunk, b""))
        else:
            body = self.take(int(head.split("content-length:")[1].split("\r\n")[0]))
        took = time.perf_counter() - began
        if "connection: close" in head:
            self.close()
            self.open()
        if " 200 " not in head.split("\r\n")[0] or b'"error":' in body[:200]:
            raise BenchError(f"{text}: {body[:300].decode(errors='replace')}")
        return body, took

    def was_closed(self):
        """Whether the server closed the connection because it was idle, while the peer took its time."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return bool(readable) and self.socket.recv(1, socket.MSG_PEEK) == b""

    def chunk(self):
        size = int(self.until(b"\r\n"), 16)
        return self.take(size + 2)[:size]

    def until(self, mark):
        while mark not in self.rest:
            self.fill()
        found, self.rest = self.rest.split(mark, 1)
        return found

    def take(self, count):
        parts, have = [self.rest], len(self.rest)
        while have < count:
            part = self.socket.recv(1 << 20)
            if not part:
                raise BenchError("the server closed the connection")
            parts.append(part)
            have += len(part)
        whole = b"".join(parts)
        self.rest = whole[count:]
        return whole[:count]

    def fill(self):
        part = self.socket.recv(1 << 20)
        if not part:
            raise BenchError("the server closed the connection")
        self.rest += part


def same(ours, theirs):
    """Whether two answers say the same: floats may differ in the last digits, for sums in another order."""
    return ours == theirs or _same(json.loads(ours), json.loads(theirs))


def _same(ours, theirs):
    if isinstance(ours, float) or isinstance(theirs, float):
        numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (ours, theirs))
        return numbers and abs(ours - theirs) <= 1e-9 * max(abs(ours), abs(theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(_same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(_same, ours, theirs))
    return ours == theirs


def create(server, database):
    client = Client(server.http_port, database)
    client.ask(f'CREATE DATABASE "{database}"', "POST")
    client.close()


def load(server, database, **options):
    """Writes a set of points and returns what the generator saw, with the CPU that the server used meanwhile."""
    before = server.cpu()
    result = programs.run("line_load", port=server.http_port, database=database, **options)
    result["cpu"] = server.cpu() - before
    return result
