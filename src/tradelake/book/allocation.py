"""Which of several books a broker's row belongs to, where the row itself does not say.

A block fill is split by an allocation file. An option event (expiry, exercise, assignment) belongs to the books
that hold the contract: to the one that does, or to all where it takes all that they hold. Anything else is left to a
person: the event keeps no account and is refused as unallocated.
"""

import csv
import io
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from tradelake.errors import InputError
from tradelake.intake.parsed import Parsed
from tradelake.lots import in_effect
from tradelake.store import Catalog, References
from tradelake.store.closing import read_closing
from tradelake.store.cold import Span
from tradelake.tables import INCOMING, OPTION_KINDS, TRADE_LOG
from tradelake.units import QUANTITY

ALLOCATION_COLUMNS = ("broker_execution_id", "account_id", "quantity")
ALLOCATION_SCHEMA = dict.fromkeys(ALLOCATION_COLUMNS, pl.String())
PLAIN_QUANTITY = r"[0-9]{1,20}(\.[0-9]{1,8})?"
SIGNED = pl.when(pl.col("action").str.starts_with("SELL")).then(-pl.col("quantity")).otherwise("quantity")


def allocate_blocks(parsed: Parsed, path: Path) -> Parsed:
    """Split the executions that the file at *path* names over books; charges in proportion, the last book the rest.

    Raises InputError where the file is not readable or allots more than an execution's quantity.
    """
    wanted = _read_allocations(path)
    hit = parsed.events["broker_execution_id"].is_in(wanted["broker_execution_id"].implode()).fill_null(value=False)
    rows = parsed.events.filter(hit)
    if not rows.height:
        return parsed
    pieces = rows.drop("account_id").join(
        wanted.rename({"quantity": "allotted"}), on="broker_execution_id", how="inner", maintain_order="left_right"
    )
    over = pieces.group_by("source_row").agg(
        pl.col("allotted").sum(), pl.col("quantity").first(), pl.col("broker_execution_id").first()
    )
    wrong = over.filter(pl.col("allotted") != pl.col("quantity"))
    if wrong.height:
        row = wrong.row(0, named=True)
        raise InputError(
            f"{path.name}: execution {row['broker_execution_id']} has a quantity of {row['quantity']}, but "
            f"{row['allotted']} are allotted. Allot exactly its quantity."
        )
    from tradelake.book.splitting import split_amounts

    split = split_amounts(pieces)
    events = pl.concat([parsed.events.filter(~hit), INCOMING.conform(split)]).sort("source_row", maintain_order=True)
    return replace(parsed, events=events)


def _read_allocations(path: Path) -> pl.DataFrame:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the allocation file cannot be read: {error}. Name a CSV file.") from error
    reader = csv.DictReader(io.StringIO(text))
    if set(reader.fieldnames or ()) != set(ALLOCATION_COLUMNS):
        raise InputError(f"{path.name}: an allocation file has the columns {', '.join(ALLOCATION_COLUMNS)}.")
    rows: dict[tuple[str, str], str] = {}
    for number, row in enumerate(reader, start=2):
        execution, account, quantity = (row[name] or "" for name in ALLOCATION_COLUMNS)
        where = f"{path.name}, line {number}"
        if not execution or not account or None in row:
            raise InputError(f"{where}: a line gives {', '.join(ALLOCATION_COLUMNS)}, each of them once.")
        if not re.fullmatch(PLAIN_QUANTITY, quantity):
            raise InputError(f"{where}: the quantity {quantity!r} is not a decimal. Write it as 12.5.")
        if not quantity.strip("0."):
            raise InputError(f"{where}: the quantity {quantity} is not positive.")
        if (execution, account) in rows:
            raise InputError(f"{where}: {execution} is allotted to {account} already. Give the sum in one line.")
        rows[execution, account] = quantity
    frame = pl.DataFrame([(*key, quantity) for key, quantity in rows.items()], ALLOCATION_SCHEMA, orient="row")
    return frame.with_columns(pl.col("quantity").cast(QUANTITY))


def allocate_option_events(catalog: Catalog, events: pl.DataFrame, references: References) -> pl.DataFrame:
    """Give option events of a shared broker account the books that hold the contract at that time."""
    if not events["kind"].is_in(OPTION_KINDS).any():
        return events
    accounts = references.accounts
    shared = accounts.group_by("broker_account_id").len().filter(pl.col("len") > 1)["broker_account_id"]
    waiting = events.filter(
        pl.col("account_id").is_null()
        & pl.col("kind").is_in(OPTION_KINDS)
        & pl.col("broker_account_id").is_in(shared.implode())
    )
    if not waiting.height:
        return events
    holdings = _movements(catalog, events, waiting, references)
    done: list[pl.DataFrame] = []
    for event in waiting.sort("executed_at", "source_row", maintain_order=True).iter_slices(1):
        pieces = _pieces(event, holdings)
        holdings = pl.concat([holdings, _effect(pieces, holdings)])
        done.append(pieces)
    rest = events.join(waiting.select("source_row").unique(), on="source_row", how="anti", maintain_order="left")
    return pl.concat([rest, *done]).sort("source_row", maintain_order=True)


def _movements(catalog: Catalog, events: pl.DataFrame, waiting: pl.DataFrame, references: References) -> pl.DataFrame:
    """Return signed quantities by account, contract and time: of the log, and of the executions that come with it."""
    from tradelake.book.accounts import choose_account

    contracts = waiting.select("instrument_id").unique()
    columns = ["account_id", "instrument_id", "executed_at"]
    span = Span(families=waiting.select("symbol").unique(), closed=True)
    with catalog.joined(contracts=contracts):
        told = catalog.frame(f"SELECT * FROM {TRADE_LOG.name} SEMI JOIN contracts USING (instrument_id)", span=span)
    log = in_effect(told, references.instruments).join(contracts, on="instrument_id", how="semi", maintain_order="left")
    fresh = events.filter(pl.col("kind") == "trade").join(contracts, on="instrument_id", how="semi")
    books = {name: rows for (name,), rows in references.accounts.group_by("broker_account_id")}
    chosen = [
        account or (choose_account(books[broker], reference, strategy) if broker in books else broker)
        for account, broker, reference, strategy in fresh.select(
            "account_id", "broker_account_id", "order_reference", "strategy_id"
        ).iter_rows()
    ]
    # What the log has of this very delivery is counted once: executions by their id or content, option events not at
    # all, since they are about to be allocated again.
    log = log.join(waiting, on=["kind", "instrument_id", "executed_at"], how="anti")
    closing, carried = read_closing(catalog), []
    if closing is not None:
        # Events by then may be deleted; what they left open is known.
        log, fresh = (rows.filter(pl.col("executed_at") > closing.until) for rows in (log, fresh))
        held = closing.positions.join(contracts, on="instrument_id", how="semi")
        carried = [
            held.select(
                "account_id", "instrument_id", pl.lit(closing.until).alias("executed_at"), units=pl.col("quantity")
            )
        ]
    content = [*columns, "action", "quantity"]
    fresh = (
        fresh.with_columns(pl.Series("account_id", chosen, dtype=pl.String))
        .join(told.drop_nulls("broker_execution_id"), on="broker_execution_id", how="anti")
        .join(told.filter(pl.col("broker_execution_id").is_null()), on=content, how="anti")
    )
    trades = [rows.filter(pl.col("kind") == "trade").select(*columns, SIGNED.alias("units")) for rows in (log, fresh)]
    traded = pl.concat([*carried, *trades])
    for piece in log.filter(pl.col("kind").is_in((*OPTION_KINDS, "transfer"))).iter_slices(1):
        taken = _effect(piece, traded)
        traded = pl.concat([traded, taken])
        if piece["kind"].item() == "transfer":
            moved = taken.with_columns(-pl.col("units"), pl.lit(piece["to_account_id"].item()).alias("account_id"))
            traded = pl.concat([traded, moved])
    return traded


def _held(holdings: pl.DataFrame, instrument: str, at: datetime) -> pl.DataFrame:
    return (
        holdings.filter((pl.col("instrument_id") == instrument) & (pl.col("executed_at") <= at))
        .group_by("account_id")
        .agg(pl.col("units").sum())
        .filter(pl.col("units") != 0)
        .sort("account_id")
    )


def _effect(pieces: pl.DataFrame, holdings: pl.DataFrame) -> pl.DataFrame:
    """Return what option events take from the holdings: toward zero, all of it where they name no quantity."""
    taken = []
    for row in pieces.drop_nulls("account_id").iter_rows(named=True):
        held = _held(holdings, row["instrument_id"], row["executed_at"]).filter(
            pl.col("account_id") == row["account_id"]
        )
        if held.height:
            units = held["units"][0]
            size = abs(units) if row["quantity"] is None else row["quantity"]
            taken.append((row["account_id"], row["instrument_id"], row["executed_at"], -size if units > 0 else size))
    return pl.DataFrame(taken, schema=holdings.schema, orient="row")


def _pieces(event: pl.DataFrame, holdings: pl.DataFrame) -> pl.DataFrame:
    """Return the event once per book that it belongs to, or as it is where that cannot be said."""
    row = event.row(0, named=True)
    held = _held(holdings, row["instrument_id"], row["executed_at"])
    if held.height == 1:
        return event.with_columns(account_id=pl.lit(held["account_id"][0]))
    sizes = [abs(units) for units in held["units"]]
    if not sizes or (row["quantity"] is not None and sum(sizes) != row["quantity"]):
        return event
    zero = pl.lit(0).cast(INCOMING.schema["commission"])
    return pl.concat(
        [
            event.with_columns(
                pl.lit(account).alias("account_id"),
                pl.lit(size).cast(QUANTITY).alias("quantity"),
                pl.lit(sum(sizes)).cast(QUANTITY).alias("execution_quantity"),
                *(() if number == 0 else (zero.alias("commission"), zero.alias("fees"))),
            )
            for number, (account, size) in enumerate(zip(held["account_id"], sizes, strict=True))
        ]
    )
