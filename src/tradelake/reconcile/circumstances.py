"""What is known besides the two sides: contracts, splits, opening lots, who holds what, how rows are told.

With it causes can be found and events proposed. A proposal is a list of rows in the fields of an execution row, as
`Book.record` takes them, and `Suppose` answers what our side would be if some were recorded.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tradelake.reconcile.facts import Side

Row = Mapping[str, Any]
Suppose = Callable[[Sequence[Row]], Side]


@dataclass(frozen=True, slots=True)
class Contract:
    """What an instrument is; `contract_id` and `isin` are the broker's names of it."""

    asset_type: str
    family: str
    underlying: str | None = None
    option_type: str | None = None
    expiration: date | None = None
    multiplier: Decimal = Decimal(1)
    settlement: str | None = None
    plain: bool = True  # delivers multiplier units of its underlying
    contract_id: str | None = None
    isin: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """A split that the book has."""

    trade_id: str
    leg_id: str
    instrument_id: str
    executed_at: datetime
    ratio: Fraction
    written: str

    @property
    def text(self) -> str:
        """The split in words."""
        return f"{self.written} of {self.executed_at.date()} ({self.trade_id})"


@dataclass(frozen=True, slots=True)
class Opening:
    """A lot of the broker: opened, and closed at an instant of the period or still open."""

    instrument_id: str
    opened_at: datetime
    closed_at: datetime | None
    quantity: Decimal
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the log behind an execution: several where it was allocated over books."""

    trade_id: str
    leg_id: str
    account_id: str | None
    quantity: Decimal | None
    commission: Decimal
    fees: Decimal


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first event that the book has of an instrument: its day, and 1 or -1 where it says that it opens."""

    day: date
    opens: int = 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything that helps to say why the sides differ; `told_since` is the first day that the file tells of.

    `parts` are our rows by the `ref` of their execution, `rows` the broker's events as execution rows by theirs, and
    `terms` the fields that name an instrument. `opened` says how much our events opened by instrument and day, `begun`
    how the book of an instrument begins, `holders` which books hold it. `shared` are instruments whose lots need not
    be the broker's, and `moved` currencies that were moved by rows that the book does not hold.
    """

    account: str
    since: date
    until: date
    as_of: datetime
    told_since: date
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    splits: Sequence[Split] = ()
    openings: Sequence[Opening] = ()
    opened: Mapping[tuple[str, date], Decimal] = field(default_factory=dict)
    begun: Mapping[str, Beginning] = field(default_factory=dict)
    holders: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)
    parts: Mapping[str, Sequence[Part]] = field(default_factory=dict)
    rows: Mapping[str, Row] = field(default_factory=dict)
    terms: Mapping[str, Row] = field(default_factory=dict)
    busted: Mapping[str, Part] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)

    def contract(self, instrument_id: str | None) -> Contract:
        """Return what an instrument is; of an unknown one, a stock."""
        name = instrument_id or ""
        return self.contracts.get(name) or Contract("STOCK", name)

    def family(self, instrument_id: str | None) -> str:
        """Return what belongs together: a stock with its options."""
        return self.contract(instrument_id).family
