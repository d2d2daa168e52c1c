"""Environments of the peers: made once, kept in a cache folder, never the one that tradelake runs in."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs

FOLDER_VARIABLE = "TRADELAKE_BENCH_ENVS"
INSTALL_TIMEOUT = 900


class NotInstalled(Exception):
    """A peer that is not to be had here; the text says why."""


def environment(name: str, packages: Sequence[str]) -> Path:
    """Return the Python of an environment with some packages, and make it where it is not there; "" is this one."""
    if not packages:
        return Path(sys.executable)
    folder = _folder() / f"{name}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"
    python, done = folder / "bin" / "python", folder / ".complete"
    if done.exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    print(f"installing {', '.join(packages)}", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    done.touch()
    return python


def debian_program(package: str) -> Path:
    """Return a program that a Debian package of its name has; root installs it where it is missing."""
    found = shutil.which(package)
    if found:
        return Path(found)
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise NotInstalled(f"there is no program {package}, and it can be installed by root of Debian or Ubuntu only")
    print(f"installing {package} of Debian", file=sys.stderr, flush=True)
    _run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package])
    found = shutil.which(package)
    if not found:
        raise NotInstalled(f"the package {package} has no program of that name")
    return Path(found)


def _folder() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_cache_dir("tradelake-bench"))


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"installing was not done after {INSTALL_TIMEOUT} s") from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("ERROR", "E:"))]
        raise NotInstalled((errors or done.stderr.strip().splitlines() or ["no reason was given"])[-1])
