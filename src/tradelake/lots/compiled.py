"""The kernel compiled: second copies of the kernel's files whose functions are machine code.

The import of the compiler costs a third of a second, so it happens at the first large run. Compiled code is
cached in the user's cache folder, or in a temporary one where that cannot be written.
"""

import importlib.util
import inspect
import os
import tempfile
import threading
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradelake.errors import InvariantError
from tradelake.lots import actions, amounts, choice, kernel, ledger, mergers, moves, state, trades, wide

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


ENTRIES = ("run",)
# In the order of their imports: each is compiled with the compiled copies of those before it.
MODULES = (amounts, ledger, choice, trades, actions, mergers, moves, kernel)
_ONE_AT_A_TIME = threading.Lock()


def _cache_folder() -> str:
    """Return a folder for compiled code of exactly these sources, since the compiler looks at one file at a time."""
    sources = b"".join(Path(str(m.__file__)).read_bytes() for m in (wide, state, *MODULES))
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "tradelake" / "numba" / sha256(sources).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return tempfile.mkdtemp(prefix="tradelake-numba-")
    return str(folder)


def _compile(module: "ModuleType", *known: "ModuleType") -> "ModuleType":
    """Return a copy of *module* with every function compiled; those that a *known* copy has are taken from there."""
    import numba

    spec = importlib.util.find_spec(module.__name__)
    if spec is None or spec.loader is None:
        raise InvariantError(f"the source of {module.__name__} is not where it was imported from")
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    for name, function in list(vars(copy).items()):
        if not inspect.isfunction(function):
            continue
        compiled = next((getattr(other, name) for other in known if hasattr(other, name)), None)
        # Only the entry is called from Python: wrappers for the others would be half of the compile time.
        entry = name in ENTRIES or module is wide
        options: dict[str, Any] = {
            "cache": True,
            "nogil": True,
            "no_cpython_wrapper": not entry,
            "no_cfunc_wrapper": True,
        }
        setattr(copy, name, compiled or numba.njit(**options)(function))
    return copy


@cache
def compiled_leaves() -> "ModuleType":
    """Return `wide.py` compiled."""
    os.environ.setdefault("NUMBA_CACHE_DIR", _cache_folder())
    return _compile(wide)


def compiled_run() -> "Callable[[state.Operations, state.Book], int]":
    """Return the compiled `kernel.run`; its sequences are arrays of 64-bit integers."""
    with _ONE_AT_A_TIME:
        return _compiled_run()


def prepare() -> None:
    """Compile in the background what a large run will need, while the caller reads its input."""
    threading.Thread(target=compiled_run, name="tradelake-compile").start()


@cache
def _compiled_run() -> "Callable[[state.Operations, state.Book], int]":
    copies = [compiled_leaves()]
    for module in MODULES:
        copies.append(_compile(module, *copies))
    run: Callable[[state.Operations, state.Book], int] = copies[-1].run
    # The compiler works when a function is first called: an empty program is enough.
    operations = state.Operations(*(np.zeros((0, fields), dtype=np.int64) for fields in state.OPERATION_FIELDS))
    tables = [np.zeros((0, fields), dtype=np.int64) for fields in state.BOOK_FIELDS]
    book = state.Book._make([*tables, np.zeros(state.CONTROL_SIZE, dtype=np.int64)])
    run(operations, book)
    return run
