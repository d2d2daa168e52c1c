"""What is known besides the two sides of a reconciliation, from the statement and the book."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.book.our_events import EXECUTED, PART, near_parts
from tradelake.book.trial import OurSide
from tradelake.reconcile import Beginning, Circumstances, Contract, Opening, Part, Row
from tradelake.sessions import trade_date_of
from tradelake.tables import CORPORATE_KINDS

if TYPE_CHECKING:
    from tradelake.intake.ibkr_statement import BrokerStatement

NAMING = ("instrument_id", "contract_symbol", "symbol")
OF_TERMS = (*NAMING, "asset_type", "strike", "expiration", "option_type", "multiplier", "currency", "settlement",
            "exercise_style", "broker_contract_id", "isin", "description")  # fmt: skip
BESIDES = ("broker_account_id", "broker_contract_id", "isin", "description", "settlement", "exercise_style",
           "order_reference", "new_symbol")  # fmt: skip
OF_A_PART = ("trade_id", "leg_id", "account_id", "quantity", "commission", "fees")
OF_A_LOT = ("instrument_id", "opened_at", "closed_at", "quantity", "cost_basis")


def circumstances_of(statement: "BrokerStatement", ours: OurSide, *, told_since: date) -> Circumstances:
    """Return what is known of contracts, splits, lots and rows on both sides."""
    mine = ours.scope.mine
    lots = statement.closed_lots if statement.lots is None else pl.concat([statement.closed_lots, statement.lots])
    holders: dict[str, dict[str, Decimal]] = defaultdict(dict)
    positions = mine(ours.derived.positions).sort("account_id")
    for account, name, quantity in positions.select("account_id", "instrument_id", "quantity").iter_rows():
        holders[name][account] = quantity
    return Circumstances(
        account=statement.account,
        since=statement.since,
        until=statement.until,
        as_of=ours.scope.as_of,
        told_since=told_since,
        contracts=_contracts(statement, ours),
        splits=ours.splits(),
        openings=[Opening(*row) for row in lots.select(OF_A_LOT).sort("opened_at").iter_rows()],
        opened=_opened(ours),
        begun=_begun(mine(ours.events).filter(pl.col("kind").is_in(EXECUTED))),
        holders=holders,
        parts=_parts(ours),
        rows={str(row["source_row"]): _told_row(row, ours) for row in statement.events.iter_rows(named=True)},
        terms=_terms(statement, ours),
        busted=_busted(ours),
        shared=_shared(ours),
        moved=statement.moved,
    )


def _begun(executions: pl.DataFrame) -> dict[str, Beginning]:
    """Return how the book of each instrument begins; *executions* are in effective order."""
    opens = pl.col("action").replace_strict({"BUY_TO_OPEN": 1, "SELL_TO_OPEN": -1}, default=0).fill_null(0)
    first = executions.group_by("instrument_id").agg(pl.col("trade_date").first(), opens.first().alias("opens"))
    return {name: Beginning(day, sign) for name, day, sign in first.iter_rows()}


def _contracts(statement: "BrokerStatement", ours: OurSide) -> dict[str, Contract]:
    """Return what instruments are, as the book knows them, else as the statement does."""
    families = _families(ours)
    named = [statement.closed_lots, *(frame for frame in (statement.positions, statement.lots) if frame is not None)]
    ids: dict[str, tuple[str | None, str | None]] = {}
    for frame in named:
        for name, contract, isin in frame.select("instrument_id", "broker_contract_id", "isin").iter_rows():
            ids.setdefault(name, (contract, isin))
    found: dict[str, Contract] = {}
    for frame in (ours.references.instruments, statement.terms):
        for row in frame.iter_rows(named=True):
            name, told = row["instrument_id"], ids.get(row["instrument_id"], (None, None))
            if name in found:
                continue
            underlying = row["underlying_instrument_id"]
            found[name] = Contract(
                asset_type=row["asset_type"],
                family=families.get(underlying or name, underlying or name),
                underlying=underlying,
                option_type=row["option_type"],
                expiration=row["expiration"],
                multiplier=row["multiplier"],
                settlement=row["settlement"],
                plain=row["deliverable"] is None,
                contract_id=row["broker_contract_id"] or told[0],
                isin=row["isin"] or told[1],
            )
    return found


def _families(ours: OurSide) -> dict[str, str]:
    """Return one name for the stocks that corporate actions have made of one another."""
    links = ours.told.filter(pl.col("new_instrument_id").is_not_null())
    family: dict[str, str] = {}

    def root(name: str) -> str:
        while family.get(name, name) != name:
            name = family[name]
        return name

    for old, new in links.sort("sequence").select("instrument_id", "new_instrument_id").iter_rows():
        family[root(new)] = root(old)
    return {name: root(name) for name in family}


def _opened(ours: OurSide) -> dict[tuple[str, date], Decimal]:
    """Return how much was opened by instrument and day: what is still open of it and what was closed since."""
    day = trade_date_of(pl.col("opened_at")).alias("day")
    side = pl.when(pl.col("side") == "SHORT").then(-pl.col("quantity")).otherwise("quantity").alias("quantity")
    found = pl.concat(
        [
            ours.scope.mine(ours.derived.lots).select("instrument_id", day, "quantity"),
            ours.scope.mine(ours.derived.matches).select("instrument_id", day, side),
        ]
    )
    sums = found.group_by("instrument_id", "day").agg(pl.col("quantity").sum())
    return {(name, opened): quantity for name, opened, quantity in sums.iter_rows()}


def _parts(ours: OurSide) -> dict[str, list[Part]]:
    """Return our rows by the execution that they are parts of; a cash movement or action is its own part."""
    found: dict[str, list[Part]] = defaultdict(list)
    others = ours.events.filter(pl.col("kind").is_in(("cash", *CORPORATE_KINDS))).with_columns(PART.alias("ref"))
    for rows in (near_parts(ours.scope, ours.events), others):
        for ref, *rest in rows.sort("sequence").select("ref", *OF_A_PART).iter_rows():
            found[ref].append(Part(*rest))
    return found


def _busted(ours: OurSide) -> dict[str, Part]:
    """Return the cancels of executions that are not in effect, by the broker's execution id."""
    there = ours.events["trade_id"].implode()
    gone = ours.told.filter(pl.col("broker_execution_id").is_not_null() & pl.col("kind").is_in(EXECUTED))
    gone = gone.filter(~pl.col("trade_id").is_in(there)).select("trade_id", "leg_id", "broker_execution_id")
    cancels = ours.told.filter(pl.col("kind") == "cancel").sort("sequence").unique("target_id", keep="last")
    joined = gone.join(cancels, left_on=["trade_id", "leg_id"], right_on=["target_id", "leg_id"], suffix="_cancel")
    return {
        execution: Part(cancel, leg, None, None, Decimal(0), Decimal(0))
        for execution, cancel, leg in joined.select("broker_execution_id", "trade_id_cancel", "leg_id").iter_rows()
    }


def _shared(ours: OurSide) -> frozenset[str]:
    """Return the instruments of several books, or of one that keeps them at average cost."""
    columns = ("account_id", "instrument_id")
    used = pl.concat(ours.scope.mine(rows).select(columns) for rows in (ours.derived.lots, ours.derived.matches))
    methods = ours.references.accounts.select("account_id", (pl.col("lot_method") == "AVERAGE").alias("pooled"))
    of_books = used.unique().join(methods, on="account_id").group_by("instrument_id")
    found = of_books.agg(pl.len().alias("books"), pl.col("pooled").any())
    return frozenset(found.filter((pl.col("books") > 1) | pl.col("pooled"))["instrument_id"])


def _told_row(row: Mapping[str, Any], ours: OurSide) -> Row:
    """Return an event of the statement as the execution row that would record it."""
    from tradelake.intake.fields import BY_NAME
    from tradelake.intake.rewrite import as_row

    given: dict[str, str | None] = dict(as_row(row))
    if row["instrument_id"] not in _known(ours):
        # An instrument that is new is made from its terms.
        given = {name: text for name, text in given.items() if name != "instrument_id" or not _has_terms(row)}
    if row["kind"] in CORPORATE_KINDS or row["kind"] == "cash":
        given.pop("instrument_id", None)
    if row["broker_execution_id"] is None and row["trade_id"] is None:
        # What the broker gives no id is recognised by its content, if a later import brings it.
        given = {**given, "trade_id": None}
    return given | {name: row[name] for name in BESIDES if row[name] is not None and name in BY_NAME}


def _has_terms(row: Mapping[str, Any]) -> bool:
    return bool(row["contract_symbol"] or row["asset_type"] != "OPTION")


def _known(ours: OurSide) -> frozenset[str]:
    return frozenset(ours.references.instruments["instrument_id"])


def _terms(statement: "BrokerStatement", ours: OurSide) -> dict[str, Row]:
    """Return the fields that name each instrument: its id where the book knows it, else its terms."""
    instruments = ours.references.instruments.select("instrument_id", "currency")
    found: dict[str, Row] = {name: {"instrument_id": name, "currency": c} for name, c in instruments.iter_rows()}
    for row in statement.terms.iter_rows(named=True):
        if row["instrument_id"] not in found:
            given = _texts(row)
            if _has_terms(row):
                given.pop("instrument_id")
            found[row["instrument_id"]] = given
    return found


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    from tradelake.intake.rewrite import as_row

    texts = as_row(row) | {name: row[name] for name in BESIDES if row[name] is not None}
    return {name: texts[name] for name in OF_TERMS if name in texts}
