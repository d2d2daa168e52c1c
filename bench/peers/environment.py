"""Environments of the peers: made once, kept in a cache folder, never the one that tradelake runs in."""

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "TRADELAKE_BENCH_ENVS"
COMPLETE = ".complete"
INSTALL_TIMEOUT = 1_800
# Of what pip says, the lines by which one sees that it goes on.
PROGRESS = ("Downloading ", "Building wheel", "Installing collected")
PROGRESS_WIDTH = 110


class NotInstalled(Exception):
    """A peer that is not to be had here; the text says why."""


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment with some packages, and make it where it is not there; "" is this one."""
    if not packages:
        return Path(sys.executable)
    folder = place(name, packages)
    python = folder / "bin" / "python"
    if is_complete(folder):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    _say(f"installing {', '.join(packages)} into {folder}")
    started = time.monotonic()
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--progress-bar=off", "--disable-pip-version-check", *packages])
    (folder / COMPLETE).touch()
    held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    _say(f"installed {name} in {time.monotonic() - started:.0f} s, {held / 1e6:,.0f} MB")
    return python


def place(name: str, packages: Sequence[str]) -> Path:
    """Return the folder of an environment: other packages, or another Python, have another one."""
    named = os.environ.get(FOLDER_VARIABLE)
    folder = Path(named) if named else Path(platformdirs.user_cache_dir("tradelake-bench"))
    asked = " ".join((platform.python_version(), *packages))
    return folder / f"{name}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def is_complete(folder: Path) -> bool:
    """Return whether all was installed there, and not a part of it."""
    return (folder / COMPLETE).exists()


def debian_program(package: str) -> Path:
    """Return a program that a Debian package of its name has; root installs it where it is missing."""
    found = shutil.which(package)
    if found:
        return Path(found)
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise NotInstalled(f"there is no program {package}, and it can be installed by root of Debian or Ubuntu only")
    _say(f"installing {package} of Debian")
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    try:
        _run(install)
    except NotInstalled:
        # The lists of packages may be older than the packages, or missing.
        _run(["apt-get", "update", "--quiet"])
        _run(install)
    found = shutil.which(package)
    if not found:
        raise NotInstalled(f"the package {package} has no program of that name")
    return Path(found)


def _run(command: Sequence[str]) -> None:
    """Run a command that installs, and pass on how it gets on; raises NotInstalled with its last error."""
    # What lies on the path of this Python is not installed in another one, whatever pip may think.
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    variables |= {"DEBIAN_FRONTEND": "noninteractive", "PYTHONUNBUFFERED": "1"}
    started = time.monotonic()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables,
        start_new_session=True,
    )  # fmt: skip
    # With what it has started: a compiler of a wheel would hold the pipe open.
    late = threading.Timer(INSTALL_TIMEOUT, os.killpg, [process.pid, signal.SIGKILL])
    late.start()
    lines = []
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line.strip())
                if lines[-1].startswith(PROGRESS):
                    _say("  " + lines[-1][:PROGRESS_WIDTH])
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            late.cancel()
    if time.monotonic() - started >= INSTALL_TIMEOUT:
        raise NotInstalled(f"installing was not done after {INSTALL_TIMEOUT} s")
    if process.returncode:
        errors = [line for line in lines if line.startswith(("ERROR", "E:"))]
        raise NotInstalled((errors or list(filter(None, lines)) or ["no reason was given"])[-1])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
