"""Whose event it is: our account by name, by the broker's account, by pattern, or by default."""

from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase

import polars as pl

from tradelake.errors import Problem
from tradelake.tables import ACCOUNTS, CORPORATE_KINDS, CURE_KINDS, OPTION_KINDS

FOR_ALL = (*CORPORATE_KINDS, *CURE_KINDS)


def reject_rows(
    events: pl.DataFrame, bad: pl.DataFrame, problems: list[Problem], template: Problem, field: str
) -> pl.DataFrame:
    """Take the events of *bad* out and note one problem for each, with its row and the value of *field*."""
    if not bad.height:
        return events
    for row in bad.iter_rows(named=True):
        value = "" if row.get(field) is None else str(row[field])
        problems.append(
            replace(template, row=row["source_row"], field=field, value=value, trade_id=row["trade_id"] or "")
        )
    return events.join(bad.select("_order"), on="_order", how="anti", maintain_order="left")


def resolve_accounts(
    events: pl.DataFrame, accounts: pl.DataFrame, problems: list[Problem], *, source: str, recorded_at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events with both accounts filled in, and the accounts that are new.

    A corporate action belongs to no account; a cure gets the account of its target later.
    """
    events = events.with_row_index("_order")
    known = dict(accounts.select("account_id", "broker_account_id").iter_rows())
    for field in ("account_id", "to_account_id"):
        names = events[field].drop_nulls().unique().to_list()
        missing = [name for name in names if name not in known]
        if missing:
            events = reject_rows(
                events,
                events.filter(pl.col(field).is_in(missing)),
                problems,
                Problem(
                    "unknown_account",
                    "the account is not in the book",
                    source,
                    action="Add it with `tradelake accounts add`, or correct the name.",
                ),
                field,
            )
    own_broker = pl.col("account_id").replace_strict(known, default=None, return_dtype=pl.String)
    clash = events.filter(pl.col("broker_account_id").is_not_null() & (pl.col("broker_account_id") != own_broker))
    events = reject_rows(
        events,
        clash,
        problems,
        Problem(
            "contradicting_account",
            "the account belongs to another broker account",
            source,
            action="Give the broker account of the book, or leave it out.",
        ),
        "broker_account_id",
    )
    events = events.with_columns(pl.coalesce("broker_account_id", own_broker).alias("broker_account_id"))
    without = events["kind"].filter(events["account_id"].is_null())
    if without.is_in(FOR_ALL).all():
        return events, ACCOUNTS.empty()
    return _by_rule(events, accounts, problems, source=source, recorded_at=recorded_at)


def _by_rule(
    events: pl.DataFrame, accounts: pl.DataFrame, problems: list[Problem], *, source: str, recorded_at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give events that name only the broker's account one of ours."""
    columns = ["broker_account_id", "order_reference", "strategy_id", "of_options"]
    events = events.with_columns(pl.col("kind").is_in(OPTION_KINDS).alias("of_options"))
    nobody = pl.col("account_id").is_null() & ~pl.col("kind").is_in(FOR_ALL)
    cases = events.filter(nobody).select(columns).unique(maintain_order=True)
    fresh: list[str] = []
    chosen = []
    for broker, reference, strategy, of_options in cases.iter_rows():
        books = accounts.filter(pl.col("broker_account_id") == broker)
        # An option event of several books belongs to the holders; where they are not known, the default is a guess.
        account = choose_account(books, reference, strategy, by_default=not of_options)
        if account is None and not books.height and broker is not None:
            account = broker
            if broker not in fresh:
                fresh.append(broker)
        chosen.append((broker, reference, strategy, of_options, account))
    rules = pl.DataFrame(chosen, schema={**cases.schema, "ruled": pl.String}, orient="row")
    events = events.join(rules, on=columns, how="left", nulls_equal=True, maintain_order="left")
    ruled = pl.when(nobody).then("ruled").otherwise("account_id")
    events = events.with_columns(ruled.alias("account_id")).drop("ruled", "of_options")
    events = reject_rows(
        events,
        events.filter(nobody),
        problems,
        Problem(
            "unallocated",
            "several books share the broker account and no rule says which one this row belongs to",
            source,
            action="Give one of them a pattern or --default with `tradelake accounts add`, or an --allocation file.",
        ),
        "order_reference",
    )
    return events, pl.concat(
        [new_account(name, broker_account_id=name, recorded_at=recorded_at) for name in fresh] or [ACCOUNTS.empty()]
    )


def choose_account(
    books: pl.DataFrame, reference: str | None, strategy: str | None, *, by_default: bool = True
) -> str | None:
    """Return the book that a row of the broker belongs to, or None where no rule decides."""
    if books.height == 1 and not books["allocation_pattern"][0]:
        return str(books["account_id"][0])
    claims = [
        account
        for account, pattern in books.select("account_id", "allocation_pattern").iter_rows()
        if pattern and any(fnmatchcase(text, pattern) for text in (reference, strategy) if text)
    ]
    if len(claims) == 1:
        return str(claims[0])
    defaults = books.filter(pl.col("allocation_default"))["account_id"].to_list()
    return str(defaults[0]) if by_default and not claims and len(defaults) == 1 else None


def new_account(
    account_id: str,
    *,
    broker_account_id: str,
    recorded_at: datetime,
    account_type: str | None = None,
    parent_account_id: str | None = None,
    lot_method: str = "FIFO",
    base_currency: str = "USD",
    allocation_pattern: str | None = None,
    allocation_default: bool = False,
) -> pl.DataFrame:
    """Return one row of `accounts`."""
    row = {
        "account_id": account_id,
        "broker_account_id": broker_account_id,
        "account_type": account_type,
        "parent_account_id": parent_account_id,
        "lot_method": lot_method,
        "base_currency": base_currency,
        "allocation_pattern": allocation_pattern,
        "allocation_default": allocation_default,
        "recorded_at": recorded_at,
    }
    return pl.DataFrame([row], schema=ACCOUNTS.schema)
