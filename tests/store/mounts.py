"""File systems of the tests' own, where the machine allows to mount; elsewhere the test is skipped with the reason."""

import errno
import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SHUTDOWN, WITHOUT_LOG = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH


def call(*words: str) -> None:
    """Run a program; skip the test where it is not there or not allowed."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{words[0]} is not possible here: {done.stderr.strip() or done.returncode}")


class Disk:
    """An ext4 file system on a file, whose power can be cut: what was not synced is lost."""

    def __init__(self, folder: Path) -> None:
        self.image, self.folder = folder / "image", folder / "mounted"
        self.folder.mkdir()
        with self.image.open("wb") as image:
            image.truncate(96 << 20)
        call("mkfs.ext4", "-q", "-F", str(self.image))
        self.mount()

    def mount(self) -> None:
        """Mount it."""
        call("mount", "-o", "loop", str(self.image), str(self.folder))

    def unmount(self) -> None:
        """Unmount it."""
        call("umount", str(self.folder))

    def cut(self) -> None:
        """Cut the power: the file system stops at once, and its log is not written out."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(folder)


class Small:
    """A file system that can be filled."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        self._filler = folder / "filler"
        folder.mkdir()
        call("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))

    def fill(self, *, leave: int) -> None:
        """Fill it so that a number of bytes are left."""
        free = os.statvfs(self.folder)
        with self._filler.open("wb") as file:
            left = free.f_bavail * free.f_frsize - leave
            try:
                while left > 0:
                    left -= file.write(b"x" * min(left, 1 << 20))
                file.flush()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def mounted(made: Disk | Small) -> Iterator[None]:
    """Unmount it at the end, whatever happens."""
    try:
        yield
    finally:
        # Lazily: a test that failed may still have files open there.
        subprocess.run(["umount", "--lazy", str(made.folder)], check=False)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make a folder read only for everybody, root included."""
    call("mount", "--bind", str(folder), str(folder))
    try:
        call("mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


@contextmanager
def unwritable(file: Path) -> Iterator[None]:
    """Make a file read only for everybody, root included; its folder stays as it is."""
    call("chattr", "+i", str(file))
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(file)], check=True)
