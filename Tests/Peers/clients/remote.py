"""Runs a client module in another environment: one process per call, pickles through STDIN and STDOUT."""

import importlib
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent


class Remote:
    """Looks like the module `clients.<name>`, as the environment `.build/venv-<year>` has it."""

    def __init__(self, year, name):
        self._python = REPOSITORY / ".build" / f"venv-{year}" / "bin" / "python"
        self._module = f"clients.{name}"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name.isupper():
            return self._call(name, None, None)
        return lambda *arguments, **options: self._call(name, arguments, options)

    def _call(self, name, arguments, options):
        if not self._python.exists():
            raise RuntimeError(f"{self._python} is missing: run `make venv`")
        done = subprocess.run([str(self._python), "-m", "clients.remote"], cwd=HERE, timeout=180, capture_output=True,
                              input=pickle.dumps((self._module, name, arguments, options)))
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())
        return pickle.loads(done.stdout)


def main():
    module, name, arguments, options = pickle.load(sys.stdin.buffer)
    # Libraries may print; the answer alone goes to the real STDOUT.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        target = getattr(importlib.import_module(module), name)
        result = target if arguments is None else target(*arguments, **options)
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    pickle.dump(result, answer)


if __name__ == "__main__":
    main()
