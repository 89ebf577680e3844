#!/usr/bin/env python3
"""Builds a Debian package of a release binary: the program, its systemd unit, its configuration, completions, docs.

Needs dpkg-dev, for the dependencies that the binary's libraries mean. Two runs over the same commit give the same bytes.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SCRIPTS = ("postinst", "prerm", "postrm")
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/millrace",
    "zsh": "usr/share/zsh/vendor-completions/_millrace",
    "fish": "usr/share/fish/vendor_completions.d/millrace.fish",
}
DOCS = "usr/share/doc/millrace"
CONTROL = """\
Package: millrace
Version: {version}
Architecture: {architecture}
Maintainer: The Millrace authors <millrace@localhost>
Installed-Size: {kilobytes}
Depends: {depends}, adduser, init-system-helpers
Section: database
Priority: optional
Description: durable, ordered log that any Kafka client can write and read
 One binary for everything your systems say: a log that speaks Kafka's
 wire protocol, with consumer groups, retention by time, size and share
 of the disk, metrics, and no other service beside it.
"""


def say(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options).stdout


def write(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def configuration(binary):
    """The file with every setting and its default, as the binary itself tells it, and where this package has the data."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MILLRACE_")}
    text = say(binary, "config", "--yaml", env=clean)
    named = text.replace("\n#data:\n", "\ndata: /var/lib/millrace\n")
    if named == text:
        sys.exit("`millrace config --yaml` has no line '#data:' any more: mend configuration() in make_deb.py")
    return named


def fill(tree, binary):
    """Puts every file where the package has it."""
    write(tree / "usr/bin/millrace", binary.read_bytes(), 0o755)
    write(tree / "lib/systemd/system/millrace.service", (HERE / "millrace.service").read_bytes())
    write(tree / "etc/millrace/millrace.yaml", configuration(binary))
    for shell, path in COMPLETIONS.items():
        write(tree / path, say(binary, "--generate-completion-script", shell))
    for page in ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))):
        write(tree / DOCS / page, (ROOT / page).read_bytes())
    write(tree / DOCS / "copyright", (ROOT / "LICENSE").read_bytes())
    write(tree / DOCS / "changelog.gz", gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0))


def dependencies(binary):
    """What the binary's shared libraries mean in packages, with their versions."""
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory) / "debian/control", "Source: millrace\n\nPackage: millrace\nArchitecture: any\n")
        found = say("dpkg-shlibdeps", "-O", "--ignore-missing-info", binary, cwd=directory)
    return found.strip().removeprefix("shlibs:Depends=")


def describe(tree, binary, version, architecture):
    """The control files."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    sums = "".join(f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files
                   if path.parts[len(tree.parts)] != "etc")
    write(tree / "DEBIAN/md5sums", sums)
    write(tree / "DEBIAN/conffiles", "/etc/millrace/millrace.yaml\n")
    for script in SCRIPTS:
        write(tree / "DEBIAN" / script, (HERE / "debian" / script).read_bytes(), 0o755)
    kilobytes = sum(path.stat().st_size for path in files) // 1024 + 1
    write(tree / "DEBIAN/control", CONTROL.format(
        version=version, architecture=architecture, kilobytes=kilobytes, depends=dependencies(binary)))


def commit_time():
    """The time of the commit, so that a package does not depend on when it is built."""
    try:
        return say("git", "-C", ROOT, "log", "-1", "--format=%ct").strip()
    except subprocess.CalledProcessError:
        return "0"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/millrace", help="default: %(default)s")
    parser.add_argument("--output", type=Path, default=ROOT / "dist", help="the directory; default: %(default)s")
    arguments = parser.parse_args()
    binary = arguments.binary.resolve()
    if not os.access(binary, os.X_OK):
        sys.exit(f"{binary} is not there: `make build` first, or name it with --binary")
    if shutil.which("dpkg-shlibdeps") is None:
        sys.exit("dpkg-shlibdeps is missing: apt-get install dpkg-dev")
    version = say(binary, "--version").split()[-1]
    architecture = say("dpkg", "--print-architecture").strip()
    arguments.output.mkdir(parents=True, exist_ok=True)
    package = arguments.output.resolve() / f"millrace_{version}_{architecture}.deb"
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "millrace"
        fill(tree, binary)
        describe(tree, binary, version, architecture)
        for folder in (tree, *(path for path in tree.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        say("dpkg-deb", "--root-owner-group", "-Zxz", "--build", tree, package,
            env={**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", commit_time())})
    print(package)


if __name__ == "__main__":
    main()
