"""The health of what is on this machine: who writes to a local book, and how far its stored positions are behind."""

import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tradelake.store.fold import Standing
from tradelake.store.target import Target

LOCKS = Path("/proc/locks")
# Where a row of it has the mode, the process, the file as DEVICE:DEVICE:INODE, and the first byte.
MODE, PROCESS, FILE, FIRST = 3, 4, 5, 6
WRITE_BYTE = "120"  # of the shared memory of a SQLite log: whoever writes has locked it
TAIL_MAX = 10_000  # events; a writer folds much earlier, so that something has kept it from that


def local_leases(target: Target) -> Iterator[tuple[str, str]]:
    """Yield topic and text for the writer's lease and the nightly job's of a local book; no file is made."""
    for topic, file in (("lease", target.lease_file), ("night", target.night_file)):
        yield topic, f"held by {_holder(file)}" if _is_held(file) else "free"


def stranger(target: Target) -> str:
    """Return what to say of a process that writes to a SQLite catalog and does not hold the lease; empty for none."""
    log = Path(f"{target.catalog}-shm")
    if target.kind != "sqlite" or not log.exists() or _is_held(target.lease_file):
        return ""
    return next(
        (
            f"process {row[PROCESS]} keeps the catalog to itself, and is no writer of tradelake: close it, or wait. "
            "Until then nothing can be recorded"
            for row in _locks_of(log)
            if row[MODE] == "WRITE" and row[FIRST] == WRITE_BYTE and row[PROCESS] != str(os.getpid())
        ),
        "",
    )


def tail(standing: Standing) -> tuple[str, bool]:
    """Return how far the stored positions are behind the log, and whether that is too far."""
    behind = standing.head - standing.checkpoint.sequence
    if not behind:
        return "the stored positions are at the end of the log", False
    text = f"the stored positions are {behind:,} events behind the log, which are folded in by whoever reads"
    if behind <= TAIL_MAX:
        return text, False
    return f"{text}; that takes time. Run: tradelake fold", True


def _is_held(file: Path) -> bool:
    if not file.exists():
        return False
    lock = FileLock(str(file))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False  # it may not be written by this user, who cannot know
    lock.release()
    return False


def _holder(file: Path) -> str:
    """Return the process that has locked a file, where the system tells."""
    held = [row[PROCESS] for row in _locks_of(file)]
    return f"process {held[0]}" if held else "another process"


def _locks_of(file: Path) -> list[list[str]]:
    """Return the rows of the system's list of locks that are about a file; none where it has no such list."""
    try:
        inode = str(file.stat().st_ino)
        rows = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines()]
    except OSError:
        return []
    return [row for row in rows if "->" not in row and row[FILE].rpartition(":")[2] == inode]
