"""The fixtures of the tests that need books to copy."""

from tests.books import patterns

__all__ = ["patterns"]
