"""What a listing without rows says where a filter names what the book has never heard of."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradelake.book import Book

SHOWN_MAX = 8


def unknown(book: "Book", given: dict[str, Any]) -> str:
    """Return a sentence about the first of the filters account, symbol and strategy that names nothing; or empty."""
    account, symbol, strategy = (given.get(name) for name in ("account", "symbol", "strategy"))
    if account:
        accounts = book.accounts()
        names = accounts["account_id"].to_list()
        if account not in names:
            ours = accounts.filter(broker_account_id=account)["account_id"].to_list()
            if ours:
                return f"{account} is an account of the broker. Ask one that shares it: {_some(ours)}."
            return _none("account", account, names)
    if symbol:
        traded = book.instruments().select("instrument_id", "symbol")
        if symbol not in {*traded["instrument_id"], *traded["symbol"]}:
            return _none("symbol", symbol, traded["symbol"].unique().sort().to_list())
    if strategy:
        names = book.strategies()["strategy_id"].to_list()
        if strategy not in names:
            return _none("strategy", strategy, names)
    return ""


def _none(what: str, name: str, known: list[str]) -> str:
    if not known:
        return f"The book has no {what} {name!r}, and no other either."
    near = get_close_matches(name.upper(), known, n=1, cutoff=0.5)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"The book has no {what} {name!r}.{meant} It has {_some(known)}."


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_MAX:,} more" if len(names) > SHOWN_MAX else ""
    return f"{', '.join(names[:SHOWN_MAX])}{more}"
