"""The fixtures of the tests that need books."""

from tests.books import local_book, patterns

__all__ = ["local_book", "patterns"]
