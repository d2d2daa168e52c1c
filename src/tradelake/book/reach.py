"""How far an event reaches: which accounts and symbols have to be folded together.

Most events touch one account and one symbol. A few reach further: corporate actions are for every account that holds
the symbol, and may give another one; transfers, forks and merges join two accounts, and a fork or merge decides about
all that its child does; another lot method is for a whole account; a cancel or correct may move its target from one
account, symbol or time to another. Such events are few: they are read once and remembered.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

from tradelake.tables import CORPORATE_KINDS, CURE_KINDS, MOVE_KINDS

REACHING_KINDS = (*CORPORATE_KINDS, *MOVE_KINDS, *CURE_KINDS, "subscribe", "lot_method")
OPENING_KINDS = ("fork", "merge")
ID = ("account_id", "to_account_id")
NAMED = ("instrument_id", "new_instrument_id")
READ = ("sequence", "trade_id", "leg_id", "kind", *ID, *NAMED, "symbol", "target_id", "executed_at", "details")
Key = tuple[str, str]
Row = Mapping[str, Any]


@dataclass(slots=True)
class Reach:
    """What one event reaches, whatever its cures have made of it.

    `accounts` and `symbols` are those that it names; `everywhere` says that it is for all accounts, `together` that
    it joins what it reaches in them; `whole` are accounts of which it reaches every symbol. `kind` is None for an event
    that only its cures let reach further.
    """

    kind: str | None
    sequences: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    accounts: set[str] = field(default_factory=set)
    symbols: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    everywhere: bool = False
    together: bool = False
    cured_at: int = 0

    @property
    def links(self) -> bool:
        """Whether what it reaches belongs together, and is not merely touched."""
        if self.everywhere:
            return self.together
        return self.kind != "lot_method"


class Reaching:
    """The reaching events of the log up to the sequence `reached`: their rows, and how far they reach."""

    def __init__(self, columns: Mapping[str, pl.DataType]) -> None:
        self.reached = 0
        self.rows = pl.DataFrame(schema=columns)
        self.reaches: list[Reach] = []
        self._known: dict[Key, Reach] = {}
        self._roots: dict[Key, Key] = {}

    def add(self, rows: pl.DataFrame, instruments: pl.DataFrame, *, reached: int) -> None:
        """Take in the reaching events of the log after `reached`, in the order of their arrival."""
        self.reached = max(self.reached, reached)
        if not rows.height:
            return
        symbols = _Symbols(instruments)
        for row in rows.select(READ).iter_rows(named=True):
            own = (row["trade_id"], row["leg_id"])
            if row["kind"] in CURE_KINDS:
                self._cure(own, row, symbols)
            else:
                self._known[own] = _reach_of(row, symbols)
                self.reaches.append(self._known[own])
        self.rows = pl.concat([self.rows, rows.select(self.rows.columns)])

    def _cure(self, own: Key, row: Row, symbols: "_Symbols") -> None:
        target = (row["target_id"], row["leg_id"])
        root = self._roots[own] = self._roots.get(target, target)
        if root not in self._known:
            plain = Reach(None, accounts={row["account_id"]}, symbols={row["symbol"] or ""})
            self._known[root] = plain
            self.reaches.append(plain)
        reach = self._known[root]
        reach.sequences.append(row["sequence"])
        reach.cured_at = row["sequence"]
        if row["kind"] == "correct":
            _widen(reach, json.loads(row["details"])["set"], symbols)

    def between(self, first: int, last: int) -> pl.DataFrame:
        """Return the rows with a sequence above *first*, up to *last*."""
        return self.rows.filter(pl.col("sequence").is_between(first, last, closed="right"))

    def moving_accounts(self) -> set[str]:
        """Return the accounts that forks open and merges close, whatever became of them."""
        return {name for reach in self.reaches if reach.kind in OPENING_KINDS for name in reach.whole}


class _Symbols:
    """The symbol of an instrument, read from its table at the first question."""

    def __init__(self, instruments: pl.DataFrame) -> None:
        self._instruments = instruments
        self._symbols: dict[str, str] | None = None

    def of(self, instrument_id: str) -> str:
        if self._symbols is None:
            self._symbols = dict(self._instruments.select("instrument_id", "symbol").iter_rows())
        return self._symbols.get(instrument_id, instrument_id)


def _reach_of(row: Row, symbols: _Symbols) -> Reach:
    kind = row["kind"]
    details = json.loads(row["details"]) if row["details"] else {}
    reach = Reach(kind, [row["sequence"]], [row["executed_at"]])
    reach.accounts = {row[name] for name in ID if row[name] is not None}
    reach.symbols = {symbols.of(row[name]) for name in NAMED if row[name] is not None}
    reach.everywhere = kind in CORPORATE_KINDS
    reach.together = details.get("treatment") == "taxable"
    _move(reach, details.get("moves"), symbols)
    if kind in OPENING_KINDS or kind == "lot_method":
        reach.symbols.add("")
        reach.whole.add(row["to_account_id"] if kind == "fork" else row["account_id"])
    return reach


def _move(reach: Reach, moves: Iterable[Row] | None, symbols: _Symbols) -> None:
    reach.symbols |= {symbols.of(move["instrument_id"]) for move in moves or ()}


def _widen(reach: Reach, changes: Row, symbols: _Symbols) -> None:
    """Let an event reach what a correction makes it name, besides what it named before."""
    reach.accounts |= {changes[name] for name in ID if changes.get(name) is not None}
    reach.symbols |= {symbols.of(changes[name]) for name in NAMED if changes.get(name) is not None}
    reach.together |= changes.get("treatment") == "taxable"
    _move(reach, changes.get("moves"), symbols)
    owner = "to_account_id" if reach.kind == "fork" else "account_id"
    if reach.whole and changes.get(owner) is not None:
        reach.whole.add(changes[owner])
    if changes.get("executed_at") is not None:
        reach.times.append(datetime.fromisoformat(changes["executed_at"]).astimezone(UTC))
