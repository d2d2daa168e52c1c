"""The fixtures of the tests of books that earlier releases have made."""

from tests.books import patterns, place, ready

__all__ = ["patterns", "place", "ready"]
