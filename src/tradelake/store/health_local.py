"""The health of what is on this machine: who writes to a local book, and how far its stored positions are behind."""

from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from tradelake.store.fold import Standing
from tradelake.store.target import Target

LOCKS = Path("/proc/locks")
# Where a row of it has the process, and the file as DEVICE:DEVICE:INODE.
PROCESS, FILE = 4, 5
TAIL_MAX = 10_000  # events; a writer folds much earlier, so that something has kept it from that


def local_leases(target: Target) -> Iterator[tuple[str, str]]:
    """Yield topic and text for the writer's lease and the nightly job's of a local book; no file is made."""
    for topic, file in (("lease", target.lease_file), ("night", target.night_file)):
        yield topic, f"held by {_holder(file)}" if _is_held(file) else "free"


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
    try:
        inode = str(file.stat().st_ino)
        rows = [line.split() for line in LOCKS.read_text(encoding="ascii").splitlines()]
    except OSError:
        return "another process"
    held = [row[PROCESS] for row in rows if "->" not in row and row[FILE].rpartition(":")[2] == inode]
    return f"process {held[0]}" if held else "another process"
