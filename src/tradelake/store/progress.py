"""How long work says where it is: a stage, how much of it is done, and of how much."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]


def no_progress(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""
