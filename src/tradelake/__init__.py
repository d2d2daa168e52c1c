"""tradelake: the trade log and position-tracking database of ALL-USE.

import tradelake as tl

with tl.create("book") as book:
    receipt = book.record([{"trade_id": "t1", ...}])
    book.positions()
"""

from typing import TYPE_CHECKING

from tradelake.errors import BookError, InputError, Problem, TradelakeError

if TYPE_CHECKING:
    from tradelake.book import Book, Execution, Receipt, create, migrate, migrations, show
    from tradelake.book import open_book as open

__version__ = "0.1.0"

__all__ = [
    "Book",
    "BookError",
    "Execution",
    "InputError",
    "Problem",
    "Receipt",
    "TradelakeError",
    "__version__",
    "create",
    "migrate",
    "migrations",
    "open",
    "show",
]

_FROM_BOOK = {
    "Book": "Book",
    "Execution": "Execution",
    "Receipt": "Receipt",
    "create": "create",
    "migrate": "migrate",
    "migrations": "migrations",
    "open": "open_book",
    "show": "show",
}


def __getattr__(name: str) -> object:
    """Import the book when it is first needed, so that a small command starts fast."""
    if name not in _FROM_BOOK:
        raise AttributeError(f"module 'tradelake' has no attribute {name!r}")
    import tradelake.book

    return getattr(tradelake.book, _FROM_BOOK[name])


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
