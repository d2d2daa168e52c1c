"""The command line: a thin shell, each command one method of the book.

Data goes to standard output and diagnostics to standard error. Exit code 0: done; 1: done, but problems were
found; 2: misuse, or something that cannot be read. Nothing asks questions.
"""

import gc
import io
import os
import sys

from tradelake.errors import BookExists, BookNotFound, InputError, ReadOnlyError, TradelakeError

__all__ = ["main"]

OLDEST = (3, 11)
MISUSE = (InputError, BookExists, BookNotFound, ReadOnlyError)


def main() -> None:
    """Run the command line and exit; an error that tradelake raises on purpose is one paragraph on stderr."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"tradelake needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is {sys.version.split()[0]} at "
            f"{sys.executable}. Install a newer one, and make the environment with it: make PYTHON=/path/to/python3.12 "
            "install"
        )
    # Tables are held by Arrow, outside of what is collected: looking for cycles is a tenth of a small command.
    gc.set_threshold(100_000, 50, 50)
    from tradelake.cli.app import app
    from tradelake.cli.completing import ready
    from tradelake.cli.streams import complain

    # A value that the terminal's encoding lacks shall not stop a listing.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    ready()
    try:
        app(prog_name="tradelake")
    except TradelakeError as error:
        complain(str(error))
        sys.exit(2 if isinstance(error, MISUSE) else 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
