"""Files on disk before the commit that names them, and the folder entries of new files.

Problem: DuckDB writes Parquet files and never syncs them, nor the folders that hold them. After a power cut the
catalog, which is synced, names files of 0 bytes. Nor does it sync the folder in which it makes a new write-ahead log.

Decision: one `syncfs` of the file system of the data folder before the commit. It covers new files, new folders and
their entries in those above, however many they are, and costs as much as the syncs of single files would.

Limit: elsewhere than on Linux all file systems are synced, which some systems begin without waiting for the end. An
address of an object store is left alone: what was put there is there.
"""

import ctypes
import ctypes.util
import os
import platform
from functools import cache
from pathlib import Path


def sync_folder(folder: str) -> None:
    """Return when all files under the local *folder* are on disk; OSError where that fails.

    An address of another store is left alone, and so is a folder that is not there.
    """
    if "://" in folder or not Path(folder).exists():
        return
    if platform.system() == "Linux":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if _library().syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), folder)
        finally:
            os.close(descriptor)
        return
    os.sync()


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)


def sync_entries(folder: Path) -> None:
    """Return when the names of the files in a local *folder* are on disk; OSError where that fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class NewFile:
    """A file that another program makes, syncs and replaces: its entry in its folder is synced when it is new."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0

    def sync(self) -> None:
        """Return when the entry of the file, as it is now, is on disk."""
        try:
            there = self._file.stat().st_ino
        except FileNotFoundError:
            return
        if there != self._seen:
            sync_entries(self._file.parent)
            self._seen = there
