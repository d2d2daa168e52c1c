"""Work that is shared out: a function and its jobs are given to an engine, which may be a cluster.

An engine may run a job twice, or again after the machine that ran it has died. So a job changes nothing that others
see, and of its results one is taken.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from tradelake.errors import InvariantError
from tradelake.store.progress import Progress


class Job(Protocol):
    """One call: its work and number name it, also to others than who asks for it."""

    @property
    def job(self) -> str:
        """The name that all calls of one piece of work share."""

    @property
    def number(self) -> int:
        """Which of them it is."""


class Result(Protocol):
    """What one call came to."""

    @property
    def number(self) -> int:
        """The number of its job."""


Asked = TypeVar("Asked", bound=Job)
Answer = TypeVar("Answer", bound=Result)


class Engine(Protocol):
    """Given a function and its jobs, which can be pickled, returns what it returned for each, in any order."""

    def __call__(self, task: Callable[[Asked], Answer], jobs: Sequence[Asked], /) -> Iterable[Answer]:
        """Run the jobs."""


def in_turn(task: Callable[[Asked], Answer], jobs: Sequence[Asked], /) -> Iterable[Answer]:
    """Run jobs one after the other in this process: the engine of one machine."""
    return map(task, jobs)


def each_once(
    engine: Engine, task: Callable[[Asked], Answer], jobs: Sequence[Asked], stage: str, report: Progress
) -> list[Answer]:
    """Return what became of each job, by one of its attempts; InvariantError where one is missing."""
    done: dict[int, Answer] = {}
    report(stage, 0, len(jobs) + 1)
    for answer in engine(task, jobs):
        done.setdefault(answer.number, answer)
        report(stage, len(done), len(jobs) + 1)
    if set(done) != {job.number for job in jobs}:
        raise InvariantError(f"the engine has returned {len(done)} of {len(jobs)} jobs")
    return [done[job.number] for job in jobs]
