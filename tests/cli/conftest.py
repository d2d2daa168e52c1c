"""The fixtures of the tests of the command line that copy books."""

from tests.books import patterns, place, ready

__all__ = ["patterns", "place", "ready"]
