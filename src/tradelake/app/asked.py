"""What a reader asks of the app: the page, its filters and what is opened, as they stand in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

PAGES = {
    "positions": "Positions",
    "history": "History",
    "chains": "Chains",
    "pnl": "P&L",
    "accounts": "Accounts",
    "breaks": "Breaks",
    "archive": "Archive",
    "nights": "Nights",
}
# Which filters a page has; all of them have an account, where that makes sense.
FILTERS: dict[str, tuple[str, ...]] = {
    "positions": ("account", "symbol", "strategy", "order", "as_of", "as_known"),
    "history": ("account", "symbol", "strategy", "order", "as_of", "as_known"),
    "chains": ("account", "symbol", "status", "as_of", "as_known"),
    "pnl": ("account", "symbol", "strategy", "by", "as_of", "as_known"),
    "accounts": (),
    "breaks": ("account", "status", "as_known"),
    "archive": (),
    "nights": (),
}
GROUPS = ("account", "month", "strategy", "symbol", "account and month", "strategy and month")
ORDERS: dict[str, tuple[str, ...]] = {
    "positions": ("account and symbol", "largest value", "largest gain", "largest loss", "oldest"),
    "history": ("newest", "largest gain", "largest loss", "account and symbol"),
}
STATUSES: dict[str, tuple[str, ...]] = {
    "chains": ("all", "OPEN", "CLOSED"),
    "breaks": ("not resolved", "OPEN", "EXPLAINED", "ACCEPTED", "RESOLVED", "all"),
}
DRILLED = ("open", "event", "number")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. Empty text asks for nothing in particular; `number` counts the pages of a long table from 1.

    `as_of` is a day and `as_known` an instant, in ISO form. `open` is the id of what is looked into (a position, chain,
    break or night), `event` the trade id of one of its events.
    """

    page: str = "positions"
    account: str = ""
    symbol: str = ""
    strategy: str = ""
    status: str = ""
    order: str = ""
    by: str = ""
    as_of: str = ""
    as_known: str = ""
    open: str = ""
    event: str = ""
    number: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str | Sequence[str]]) -> "Asked":
        """Return what the parameters of an address ask for; what a page does not know counts as not asked."""
        given = {
            field.name: value if isinstance(value, str) else str(value[-1])
            for field in fields(cls)
            if (value := parameters.get(field.name))
        }
        page = given.get("page", "")
        page = page if page in PAGES else "positions"
        kept: dict[str, Any] = {
            name: value.strip() for name, value in given.items() if name in FILTERS[page] or name in ("open", "event")
        }
        for name, known in choices(page).items():
            if kept.get(name) not in known:
                kept.pop(name, None)
        number = given.get("number", "")
        kept["number"] = max(1, int(number)) if number.isdecimal() and len(number) <= 9 else 1
        return cls(page=page, **kept)

    @property
    def is_past(self) -> bool:
        """Whether it is asked about the past, or about what was known then."""
        return bool(self.as_of or self.as_known)

    @property
    def state(self) -> dict[str, Any]:
        """The two instants as the readers of a book take them."""
        return {"as_of": self.as_of or None, "as_known": self.as_known or None}

    @property
    def filters(self) -> dict[str, Any]:
        """Account, symbol and the two instants as the readers of a book take them."""
        return {"account": self.account or None, "symbol": self.symbol or None, **self.state}


def choices(page: str) -> dict[str, tuple[str, ...]]:
    """Return the filters of a page that are one of a few words, with these; the first one counts where none is."""
    every = {"by": GROUPS, "order": ORDERS.get(page, ()), "status": STATUSES.get(page, ())}
    return {name: words for name, words in every.items() if name in FILTERS[page]}
