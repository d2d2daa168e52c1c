"""The fixtures of the tests that need books."""

from tests.books import book, local_book, patterns, place, ready

__all__ = ["book", "local_book", "patterns", "place", "ready"]
