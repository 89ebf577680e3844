"""Runs a client module in another environment: a process that stays, pickles through its STDIN and STDOUT."""

import importlib
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent


class Remote:
    """Looks like the module `clients.<name>`, as the environment `.build/venv-<year>` has it; None is the newest one."""

    def __init__(self, year, name):
        self._python = REPOSITORY / ".build" / (f"venv-{year}" if year else "venv") / "bin" / "python"
        self._module = f"clients.{name}"
        self._process = None

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        if name.isupper():
            return self._call(name, None, None)
        return lambda *arguments, **options: self._call(name, arguments, options)

    def _start(self):
        if not self._python.exists():
            raise RuntimeError(f"{self._python} is missing: run `make venv`")
        self._stderr = tempfile.TemporaryFile()
        self._process = subprocess.Popen([str(self._python), "-m", "clients.remote", self._module], cwd=HERE,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr)

    def _call(self, name, arguments, options):
        if self._process is None or self._process.poll() is not None:
            self._start()
        pickle.dump((name, arguments, options), self._process.stdin)
        self._process.stdin.flush()
        try:
            succeeded, result = pickle.load(self._process.stdout)
        except EOFError:
            self._stderr.seek(0)
            raise RuntimeError(f"{self._module} died:\n{self._stderr.read().decode()}") from None
        if not succeeded:
            raise RuntimeError(result)
        return result

    def end(self):
        """Kills the process; the next call starts another."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def main():
    # Libraries may print; answers alone go to the real STDOUT.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    module = importlib.import_module(sys.argv[1])
    while True:
        try:
            name, arguments, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            target = getattr(module, name)
            answer = True, target if arguments is None else target(*arguments, **options)
        except Exception:
            answer = False, traceback.format_exc()
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
