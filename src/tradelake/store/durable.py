"""Parquet files on disk before the commit that names them: DuckDB does not sync what it writes."""

import ctypes
import ctypes.util
import os
import platform
from pathlib import Path


def sync_folder(folder: str) -> None:
    """Return when all files under the local *folder* are on disk; an address of another store is left alone."""
    if "://" in folder or not Path(folder).exists():
        return
    if platform.system() == "Linux":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            library = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
            if library.syncfs(descriptor) != 0:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number), folder)
        finally:
            os.close(descriptor)
        return
    os.sync()
