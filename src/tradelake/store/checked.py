"""Which extensions of DuckDB were found to be as published, remembered from one process to the next.

Problem. To check a signature, DuckDB hashes 36 MB for each extension, which is more than all else that a small command
does. Decision. A file in the cache folder of the user notes what was checked: path, inode, size, and the times of the
last write and of the last change of the inode, which no program sets. Whatever replaces or writes an extension changes
one of them, and it is checked again. Limit. Who may write that folder may run programs as this user anyway, and who
may write the extensions may write this package, which nobody checks; a note of another user is not believed.
"""

import json
import os
import tempfile
from pathlib import Path

Identity = tuple[int, ...]
NAME = "extensions.json"


def identity(path: Path) -> Identity:
    """Return what changes when a file is replaced or written."""
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def remembered() -> dict[Path, Identity]:
    """Return what earlier processes of this user have checked; nothing where that cannot be read."""
    try:
        note = _folder() / NAME
        found = note.stat()
        if found.st_uid != os.getuid() or found.st_mode & 0o022:
            return {}
        return {Path(path): tuple(parts) for path, parts in json.loads(note.read_text()).items()}
    except (OSError, RuntimeError, ValueError, AttributeError, TypeError):
        # There is no folder, or no note that can be understood: then it is checked again.
        return {}


def remember(checked: dict[Path, Identity]) -> None:
    """Note for later processes what this one has checked; nothing where that cannot be written."""
    try:
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        texts = {str(path): parts for path, parts in (remembered() | checked).items() if path.exists()}
        descriptor, draft = tempfile.mkstemp(dir=folder, prefix=NAME)
        with os.fdopen(descriptor, "w") as file:
            json.dump(texts, file)
        Path(draft).replace(folder / NAME)
    except (OSError, RuntimeError):
        # A machine without a folder to write to checks every time.
        return


def _folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradelake"
