"""The book behind the app: opened for one question and closed again, so that it never stands in a writer's way."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

if TYPE_CHECKING:
    from tradelake.book import Book

Answer = TypeVar("Answer")
KEPT_BYTES_MAX = 400_000_000


@dataclass
class Kept:
    """Answers that are kept until the book has another commit; sessions of the app share them."""

    answers: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    commit: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def found(self, commit: int, key: Hashable) -> tuple[bool, Any]:
        """Return whether there is an answer as of a commit, and it."""
        with self.lock:
            if commit != self.commit or key not in self.answers:
                return False, None
            self.answers.move_to_end(key)
            return True, self.answers[key]

    def keep(self, commit: int, key: Hashable, answer: object) -> None:
        """Keep an answer; the one that was not asked for the longest time goes, and all of another commit."""
        with self.lock:
            if commit != self.commit:
                self.answers.clear()
                self.commit = commit
            self.answers[key] = answer
            while len(self.answers) > 1 and sum(map(_bytes, self.answers.values())) > KEPT_BYTES_MAX:
                self.answers.popitem(last=False)


def _bytes(answer: object) -> int:
    return int(answer.estimated_size()) if isinstance(answer, pl.DataFrame) else 0


@dataclass(frozen=True)
class Opened:
    """A book that is open for one question, and the answers that still hold."""

    book: "Book"
    kept: Kept
    commit: int

    def once(self, key: Hashable, question: Callable[["Book"], Answer]) -> Answer:
        """Return the answer to a question of the book, asked once for each commit; *key* says which question it is."""
        known, found = self.kept.found(self.commit, key)
        answer: Answer = found if known else question(self.book)
        if not known:
            self.kept.keep(self.commit, key, answer)
        return answer


@dataclass(frozen=True)
class Door:
    """Where the book is, and whether its answers include what is archived."""

    target: str
    cold: bool = False
    kept: Kept = field(default_factory=Kept)

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Yield the book, open for reading; raises what `open_book` raises."""
        from tradelake.book import open_book

        with open_book(self.target, read_only=True, cold=self.cold) as book:
            yield Opened(book, self.kept, book.standing.import_run_id)
