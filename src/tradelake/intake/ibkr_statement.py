"""IBKR Flex statements as the broker's side of a reconciliation: what it says was done, is held, was realized.

The same file is read as for an import, by the same decisions, so that both sides name executions and instruments
alike. Besides the events there are the broker's own results, which an import keeps without using them: open
positions, their lots, the lots that trades closed, cash balances, realized profit. A section that the file does not
have is None, and a section that it has is complete.

Limits. Rows of assets that a book does not hold (futures, bonds, currency pairs) are counted in `notes` and are in no
frame. Rows of `Trades` and `OptionEAE` that could not be read as events are in `unread`, with what they say of
themselves, since an event of ours may be meant.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from tradelake import units
from tradelake.errors import InputError
from tradelake.intake import check, ibkr_xml
from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_flex import Judged, days_of, execution_rows, judge
from tradelake.intake.ibkr_holdings import cash_of, held, lots_of, money_of, moved_by, quantity_of
from tradelake.intake.ibkr_rows import booking_id, common, execution_id
from tradelake.intake.ibkr_terms import CASH, OPTION, UNSUPPORTED, terms_of
from tradelake.intake.ibkr_values import Clock
from tradelake.intake.ibkr_xml import CASH_REPORT, Frame, Row
from tradelake.tables import INCOMING

_TOTAL = "-"
_READ = ("Trades", "OptionEAE")
_NOON = "T12:00:00-05:00"
REALIZED_SCHEMA = pl.Schema({"source_row": pl.Int64(), "realized_pnl": units.MONEY})
UNREAD_SCHEMA = pl.Schema(
    {
        "source_row": pl.Int64(),
        "broker_execution_id": pl.String(),
        "instrument_id": pl.String(),
        "quantity": units.QUANTITY,
        "price": units.MONEY,
        "code": pl.String(),
        "message": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class BrokerStatement:
    """What one statement says of one broker account from `since` to `until`, both days included.

    `events` are rows of INCOMING. `executions`, `actions` and `cash_events` say whether the file has these sections,
    and `moved` which currencies were moved by rows that are no events, with the reason. `lots` are the open ones,
    `closed_lots` those that trades of the period closed. `terms` has an execution row per instrument that is named.
    """

    account: str
    since: date
    until: date
    events: pl.DataFrame
    executions: bool
    actions: bool
    cash_events: bool
    positions: pl.DataFrame | None
    lots: pl.DataFrame | None
    closed_lots: pl.DataFrame
    cash: pl.DataFrame | None
    realized: pl.DataFrame
    unread: pl.DataFrame
    terms: pl.DataFrame
    moved: Mapping[str, str]
    notes: tuple[str, ...]


def read_statements(data: bytes, *, name: str) -> tuple[BrokerStatement, ...]:
    """Return what each statement of a Flex document says of each of its accounts; *name* is for messages.

    Raises InputError where the bytes are no Flex statement, or one names no account or no last day.
    """
    judged = judge(ibkr_xml.read(data, name=name), name=name)
    clock = days_of(judged.document)
    found = []
    for frame in judged.document.frames:
        rows = judged.document.rows[frame.first - 1 : frame.last] if frame.last else ()
        accounts = dict.fromkeys([frame.account, *(row.account for row in (*rows, *frame.cash))])
        for account in filter(None, accounts):
            own = [row for row in rows if row.account == account]
            found.append(_Reader(judged, clock, frame, account, own, name).statement())
    if not found:
        raise InputError(f"{name}: no statement in it names its account. Add Account ID to the Flex query.")
    return tuple(found)


class _Reader:
    """Reads one account's rows of one statement."""

    def __init__(
        self, judged: Judged, clock: Clock, frame: Frame, account: str, rows: Sequence[Row], name: str
    ) -> None:
        self._judged = judged
        self._clock = clock
        self._frame = frame
        self._account = account
        self._rows = [row for row in rows if row.attributes.get("accountId", "").strip() != _TOTAL]
        self._name = name
        self._notes: list[str] = []
        numbers = [row.number for row in self._rows]
        self._events = judged.events.filter(pl.col("source_row").is_in(numbers))
        self._terms, self._named = self._read_terms()

    def statement(self) -> BrokerStatement:
        since, until = self._period()
        trades = [row for row in self._rows if row.section == "Trades"]
        levels = {self._judged.decisions[row.number].code for row in trades}
        executions = "Trades" in self._frame.sections and levels != {"summary"}
        if trades and not executions:
            self._note("Trades has no rows of level EXECUTION, so that executions are not compared")
        for row in self._rows:
            if row.tag == "Transfer":
                self._note(
                    f"row {row.number} is a transfer of {row.get('symbol') or 'cash'}, to be recorded with its lots"
                )
        positions, lots = None, None
        if "OpenPositions" in self._frame.sections:
            positions, lots = held(self._rows, self._named, self._clock)
        return BrokerStatement(
            account=self._account,
            since=since,
            until=until,
            events=INCOMING.conform(self._events),
            executions=executions,
            actions="CorporateActions" in self._frame.sections,
            cash_events="CashTransactions" in self._frame.sections,
            positions=positions,
            lots=lots,
            closed_lots=lots_of((row for row in trades if row.tag == "Lot"), self._named, self._clock),
            cash=cash_of(self._frame.cash, self._account) if CASH_REPORT in self._frame.sections else None,
            realized=self._realized(),
            unread=self._unread(),
            terms=self._terms,
            moved=moved_by(self._rows, self._judged),
            notes=tuple(self._notes),
        )

    def _note(self, text: str) -> None:
        self._notes.append(f"{self._account}: {text}.")

    def _period(self) -> tuple[date, date]:
        days = self._events["trade_date"]
        attributes = self._frame.attributes
        until = self._clock.day(attributes.get("toDate", "")) or self._clock.day(attributes.get("whenGenerated", ""))
        last = date.fromisoformat(until) if until else days.max()
        if not isinstance(last, date):
            raise InputError(
                f"{self._name}: the statement of {self._account} names no last day. Run the Flex query again with"
                " the attributes fromDate and toDate."
            )
        since = self._clock.day(attributes.get("fromDate", ""))
        first = date.fromisoformat(since) if since else days.min()
        return (min(first, last) if isinstance(first, date) else last), last

    def _read_terms(self) -> tuple[pl.DataFrame, dict[int, tuple[str, str | None, str | None]]]:
        """Return a row of INCOMING per instrument, and for each row what it is about: instrument, contract, ISIN."""
        given: dict[int, dict[str, str | None]] = {}
        skipped: Counter[str] = Counter()
        for row in self._rows:
            if not _tells_instrument(row):
                continue
            terms = terms_of(row, self._clock)
            if terms.asset_type in (UNSUPPORTED, CASH):
                skipped[terms.category or "without assetCategory"] += row.section == "OpenPositions"
                continue
            day = terms.expiration if terms.asset_type == OPTION else "2000-01-03"
            given[row.number] = {
                **common(row, terms), "kind": "trade", "action": "BUY", "quantity": "1", "price": "1",
                "commission": "0", "fees": "0", "executed_at": f"{day}{_NOON}",
            }  # fmt: skip
        for category, count in sorted(skipped.items()):
            if count:
                rows = "position" if count == 1 else "positions"
                self._note(f"{count} {rows} in {category}, which the book does not hold, cannot be compared")
        read, problems = check.validate(execution_rows(given), source=self._name)
        for problem in problems:
            self._note(f"row {problem.row} names no instrument that can be held: {problem.message.rstrip('.')}")
        renamed = self._renamed()
        known = {
            number: (renamed.get(contract or "", instrument), contract, isin)
            for number, instrument, contract, isin in read.select(
                "source_row", "instrument_id", "broker_contract_id", "isin"
            ).iter_rows()
        }
        terms_rows = pl.concat([self._events.filter(pl.col("asset_type").is_not_null()), read])
        return terms_rows.unique("instrument_id", keep="first", maintain_order=True), known

    def _renamed(self) -> dict[str, str]:
        """Return the instrument of each contract that a corporate action brought in, as the action's event names it.

        The statement may list it under its later symbol, which no row of it explains.
        """
        by_row = dict(
            self._events.filter(pl.col("new_instrument_id").is_not_null())
            .select("source_row", "new_instrument_id")
            .iter_rows()
        )
        renamed: dict[str, str] = {}
        for row in self._rows:
            owner = self._judged.decisions[row.number].owner or row.number
            comes_in = (values.exact(row.get("quantity"), units.QUANTITY_SCALE) or 0) > 0
            if row.section == "CorporateActions" and owner in by_row and comes_in and row.get("conid"):
                renamed[row.get("conid")] = by_row[owner]
        return renamed

    def _realized(self) -> pl.DataFrame:
        """Return what each event realized: its own row and the rows of shares that it took over."""
        events = set(self._events["source_row"])
        sums: dict[int, int] = {}
        for row in self._rows:
            owner = self._judged.decisions[row.number].owner or row.number
            amount = values.exact(row.get("fifoPnlRealized"), units.MONEY_SCALE)
            if row.section == "Trades" and row.tag == "Trade" and owner in events and amount is not None:
                sums[owner] = sums.get(owner, 0) + amount
        told = [(number, units.to_decimal(amount, units.MONEY_SCALE)) for number, amount in sums.items()]
        return pl.DataFrame(told, schema=REALIZED_SCHEMA, orient="row")

    def _unread(self) -> pl.DataFrame:
        found = []
        for row in self._rows:
            problem = self._judged.rejected.get(row.number)
            if problem is None or row.section not in _READ or problem.code == "unsupported_asset_type":
                continue
            instrument = self._named.get(row.number, (None,))[0]
            size, price = quantity_of(row.get("quantity")), money_of(row.get("tradePrice", "price"))
            told = (instrument, size, price, problem.code, problem.message)
            found += [(row.number, each, *told) for each in dict.fromkeys([execution_id(row), booking_id(row)])]
            self._note(f"row {row.number} could not be read as an event: {problem.message.rstrip('.')}")
        return pl.DataFrame(found, schema=UNREAD_SCHEMA, orient="row")


def _tells_instrument(row: Row) -> bool:
    if row.section == "OpenPositions":
        return True
    return row.section in _READ and (row.tag in ("Trade", "OptionEAE") or row.get("levelOfDetail") == "CLOSED_LOT")
