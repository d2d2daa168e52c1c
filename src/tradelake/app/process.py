"""The process in which marimo runs: it is told the token on its standard input, and ends when that is closed.

So the token stands on no command line, and the app never outlives the command that started it, whatever ends that.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Run marimo with the arguments of this process, and the token that the first line of standard input is."""
    token = sys.stdin.readline().strip()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What a program sets here is not what other users see of its command line.
    sys.argv = ["marimo", *sys.argv[1:], *(("--token", "--token-password", token) if token else ("--no-token",))]
    runpy.run_module("marimo", run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
