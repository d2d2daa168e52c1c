"""Signatures and docstrings of readers that take filters: what `help` and a notebook show is what may be given.

A type checker reads the keywords of `**filters` from a TypedDict; a person who types does not.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from tradelake.book.read import Day, Instant, Names

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
FILTERS: dict[str, tuple[Any, Any, str]] = {
    "account": (Names, None, "only this account, or these."),
    "symbol": (Names, None, "only this stock or underlying with its options, or this contract, or these."),
    "strategy": (Names, None, "only events of this strategy, or these."),
    "since": (Day, None, "only from this trading day on, as a date or YYYY-MM-DD."),
    "until": (Day, None, "only up to and with this trading day."),
    "as_of": (Instant, None, "as things stood then: a day (its end in New York), or an instant with offset."),
    "as_known": (Instant, None, "from what the book had been told by then, nothing later."),
    "view": (str, "tax", "tax: premium of exercised options is in the stock; economic: the option has earned it."),
    "limit": (int | None, None, "at most so many rows."),
}


def with_filters(*names: str) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Return a decorator: the `**filters` of a reader become these keywords in its signature and its docstring."""

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        signature = inspect.signature(function)
        own = [p for p in signature.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        filters = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=FILTERS[name][1], annotation=FILTERS[name][0]
            )
            for name in names
        ]
        known = {p.name for p in own} | set(names)

        @functools.wraps(function)
        def checked(*args: Parameters.args, **given: Parameters.kwargs) -> Result:
            for name in given:
                if name not in known:
                    # a filter that is misspelt would be no filter at all
                    raise TypeError(f"{function.__name__}() takes no {name!r}; its filters are {', '.join(names)}")
            return function(*args, **given)

        described = cast(Any, checked)
        described.__signature__ = signature.replace(parameters=[*own, *filters])
        described.__doc__ = _documented(function.__doc__ or "", names)
        return checked

    return decorate


def _documented(text: str, names: tuple[str, ...]) -> str:
    """Return a docstring with the filters below its text, and before its example."""
    text = inspect.cleandoc(text)
    before, mark, example = text.partition("Example:")
    lines = "\n".join(f"    {name}: {FILTERS[name][2]}" for name in names)
    return f"{before.rstrip()}\n\nFilters:\n{lines}\n" + (f"\n{mark}{example}\n" if mark else "")
