"""What `make dist` leaves in dist/: that the package holds what it should, and that both binaries serve."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DIST = Path(os.environ.get("MILLRACE_DIST", ROOT / "dist"))
READY_SECONDS = 60


def only(pattern):
    found = list(DIST.glob(pattern))
    assert len(found) == 1, f"{pattern} in {DIST}: {found}; `make dist` makes them"
    return found[0]


def run(*words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **options)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """The package's files, unpacked."""
    directory = tmp_path_factory.mktemp("package")
    assert run("dpkg-deb", "-R", only("*.deb"), directory).returncode == 0
    return directory


@contextlib.contextmanager
def serving(command, data, environment=None):
    """A server on free ports; yields its Kafka address and what it told the service manager."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    ports = {"MILLRACE_KAFKA_LISTEN": "127.0.0.1:0", "MILLRACE_HTTP_LISTEN": "127.0.0.1:0", "MILLRACE_DATA": str(data)}
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                          env={**clean, **ports, **(environment or {})}) as process:
        try:
            ready = re.match(r"ready kafka=(\S+) ", process.stdout.readline())
            assert ready, "no ready line"
            yield ready[1]
            process.send_signal(signal.SIGTERM)
            assert process.wait(READY_SECONDS) == 0
        finally:
            process.kill()


def carries_records(client, address):
    """Whether a record that is produced can be consumed."""
    assert run(*client, "produce", "-b", address, "t", input="hello\n").returncode == 0
    consumed = run(*client, "consume", "-b", address, "t", "--from", "beginning", "--count", "1")
    return (consumed.returncode, consumed.stdout) == (0, "hello\n")


def test_the_checksums_are_those_of_the_files():
    listed = (DIST / "SHA256SUMS").read_text()
    assert only("*.deb").name in listed and only("millrace-*-linux-*").name in listed
    assert run("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=DIST).returncode == 0


def test_the_package_depends_on_what_the_binary_links(tree):
    control = (tree / "DEBIAN/control").read_text()
    for library in ("libc6 (>=", "libzstd1", "liblz4-1", "libsnappy1v5", "zlib1g", "libsqlite3-0", "libstdc++6"):
        assert library in control, control
    assert re.search(r"^Version: \d+\.\d+\.\d+$", control, re.M)


def test_the_package_is_the_same_when_it_is_built_again(tmp_path):
    made = run(sys.executable, ROOT / "Packaging/make_deb.py", "--output", tmp_path)
    assert made.returncode == 0, made.stderr
    assert Path(made.stdout.strip()).read_bytes() == only("*.deb").read_bytes()


def test_its_files_belong_to_root_and_have_their_modes():
    listing = run("dpkg-deb", "--contents", only("*.deb")).stdout
    entries = {line.split()[5]: line.split()[:2] for line in listing.splitlines()}
    assert all(owner == "root/root" for _, owner in entries.values())
    assert entries["./usr/bin/millrace"][0] == "-rwxr-xr-x"
    assert entries["./etc/millrace/millrace.yaml"][0] == "-rw-r--r--"
    assert all(mode[8] != "w" for mode, _ in entries.values()), "writable by everybody"


def test_systemd_finds_no_fault_with_the_unit(tree, tmp_path):
    unit = (tree / "lib/systemd/system/millrace.service").read_text()
    # The check wants the program to be there: it is, elsewhere.
    moved = tmp_path / "millrace.service"
    moved.write_text(unit.replace("/usr/bin/millrace", str(tree / "usr/bin/millrace")))
    verified = run("systemd-analyze", "verify", "--man=no", moved)
    complaints = [line for line in verified.stderr.splitlines() if "millrace" in line]
    assert not complaints, complaints


def test_its_scripts_are_scripts_and_its_completions_complete(tree):
    for script in ("postinst", "prerm", "postrm"):
        assert run("sh", "-n", tree / "DEBIAN" / script).returncode == 0
        assert os.access(tree / "DEBIAN" / script, os.X_OK)
    completions = tree / "usr/share/bash-completion/completions/millrace"
    assert run("bash", "-n", completions).returncode == 0
    assert "consume" in completions.read_text()


def test_its_configuration_is_read_and_is_the_defaults_but_for_the_data(tree):
    binary, file = tree / "usr/bin/millrace", tree / "etc/millrace/millrace.yaml"
    assert run(binary, "config", "--check", "--config", file).returncode == 0
    shown = run(binary, "config", "--config", file).stdout
    changed = [line.split()[0] for line in shown.splitlines() if str(file) in line]
    assert changed == ["data"] and "/var/lib/millrace" in shown


def test_the_unit_starts_a_server_that_tells_systemd_how_it_is(tree, tmp_path):
    unit = (tree / "lib/systemd/system/millrace.service").read_text()
    words = re.search(r"^ExecStart=(.*)$", unit, re.M)[1].split()
    words = [str(tree) + word if word.startswith("/") else word for word in words]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(READY_SECONDS)
        with serving(words, tmp_path / "data", {"NOTIFY_SOCKET": str(tmp_path / "notify")}) as address:
            told = [manager.recv(4096).decode() for _ in range(2)]
            assert told[0].startswith("STATUS=recovering")
            assert told[1].startswith("READY=1\n") and address in told[1]
            assert carries_records([words[0]], address)
        assert manager.recv(4096).decode().startswith("STOPPING=1")


def test_the_static_binary_needs_no_library():
    described = run("ldd", only("millrace-*-linux-*"))
    assert "not a dynamic executable" in described.stdout + described.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot is for root")
def test_the_static_binary_serves_where_there_is_nothing_else(tmp_path):
    root = tmp_path / "root"
    (root / "proc").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "millrace").write_bytes(only("millrace-*-linux-*").read_bytes())
    (root / "millrace").chmod(0o755)
    inside = ["chroot", root, "/millrace"]
    assert run("mount", "-t", "proc", "proc", root / "proc").returncode == 0
    try:
        with serving([*inside, "serve"], "/data") as address:
            assert carries_records(inside, address)
    finally:
        for _ in range(50):
            if run("umount", root / "proc").returncode == 0:
                break
            time.sleep(0.1)
