"""The answers of a book, to be compared before and after."""

from collections.abc import Iterator

import polars as pl

import tradelake as tl
from bench.questions import Answer, questions
from tests.books import OF_THE_COMMIT

__all__ = ["answers", "questions"]


def answers(book: tl.Book, asked: dict[str, Answer]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Return the answers without what a commit stamps on its rows."""
    for name, ask in asked.items():
        yield name, ask(book).drop(*OF_THE_COMMIT, strict=False)
