"""The fixtures of the tests that need books."""

from tests.books import book, broker_book, local_book, other_book, patterns, place, ready

__all__ = ["book", "broker_book", "local_book", "other_book", "patterns", "place", "ready"]
