"""Start and stop the app: marimo as a process of its own, on loopback, with a token, until somebody ends it."""

import importlib.util
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import IO

from tradelake.app.door import Door
from tradelake.errors import InputError, StorageError

HOST = "127.0.0.1"
PROCESS = "tradelake.app.process"
NOTEBOOK = Path(__file__).with_name("notebook.py")
BOOK, ARCHIVE = "TRADELAKE_APP_BOOK", "TRADELAKE_APP_ARCHIVE"
START_SECONDS, STOP_SECONDS = 60.0, 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the app listens, and the token that its address asks for; an empty one asks for none."""

    host: str = HOST
    port: int = 0
    token: str = field(default="", repr=False)

    @property
    def origin(self) -> str:
        """The address without its token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address to open, with its token."""
        return f"{self.origin}/?access_token={self.token}" if self.token else f"{self.origin}/"


@cache
def served_door() -> Door:
    """Return the door of the book that this process serves."""
    return Door(os.environ[BOOK], cold=os.environ.get(ARCHIVE) == "1")


def address_of(*, host: str, port: int, token: bool) -> Address:
    """Return where to listen: a free port for 0, a fresh token unless without one.

    Raises InputError where marimo is not installed, where the place is not loopback and has no token, or is taken.
    """
    if importlib.util.find_spec("marimo") is None:
        raise InputError("The app needs marimo, which is not installed. Install it with: pip install 'tradelake[app]'")
    if not token and not is_loopback(host):
        raise InputError(
            f"{host} can be reached by other machines, so the app does not start there without a token. Leave out "
            "--no-token, or --host."
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            free = int(probe.getsockname()[1])
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{host}, port {port} cannot be used: {said}. Name another --port, or 0 for any free one."
        ) from error
    return Address(host, free, secrets.token_urlsafe(16) if token else "")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches *host*."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def served(target: str, address: Address, *, cold: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Run the app of a book until the block ends, and yield its process once it answers.

    Neither the token nor the address of the book is on a command line, where other users could read it. Raises
    StorageError where the process ends, or does not answer within a minute.
    """
    where = ("--host", address.host, "--port", str(address.port))
    command = (sys.executable, "-m", PROCESS, "--quiet", "--yes", "run", str(NOTEBOOK), "--headless", *where)
    environment = {**os.environ, BOOK: _whole(target), ARCHIVE: str(int(cold)), "MARIMO_SKIP_UPDATE_CHECK": "1"}
    with tempfile.TemporaryFile() as complaints:
        # A session of its own: a Ctrl-C of the terminal reaches us alone, and we end it.
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        )
        try:
            if process.stdin is not None:
                # Left open: the process ends when we do, and with us this end of the pipe.
                process.stdin.write(f"{address.token}\n".encode())
                process.stdin.flush()
            _wait(process, address, complaints)
            yield process
        finally:
            _end(process)


def serve(target: str, address: Address, *, cold: bool, started: Callable[[], None]) -> None:
    """Run the app until a signal asks it to end (Ctrl-C, or TERM), and call *started* once it answers.

    Raises what opening the book raises, before anything is started, and StorageError where the app ends by itself.
    """
    with Door(target, cold).opened():
        pass
    # A shell that starts us in the background has told us to ignore Ctrl-C; whoever sends it anyway is heard.
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with served(target, address, cold=cold) as process:
            started()
            code = process.wait()
            raise StorageError(f"The app has ended by itself, with exit code {code}. Start it again.")
    except KeyboardInterrupt:
        return
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _whole(target: str) -> str:
    """Return a target that means the same from any folder."""
    kind, colon, rest = target.partition(":")
    if "://" in target:
        return target
    return f"{kind}:{Path(rest).absolute()}" if colon and kind == "duckdb" else str(Path(target).absolute())


def _wait(process: subprocess.Popen[bytes], address: Address, complaints: IO[bytes]) -> None:
    host = {"0.0.0.0": HOST, "::": "::1"}.get(address.host, address.host)  # noqa: S104  what listens everywhere is asked here
    probe = Address(host, address.port).origin + "/health"
    # No proxy of the environment stands between this machine and itself.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            complaints.seek(0)
            said = complaints.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
            raise StorageError(f"The app did not start: {said[-1]}")
        try:
            with opener.open(probe, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise StorageError(f"The app did not answer within {START_SECONDS:.0f} seconds. Start it again.")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
