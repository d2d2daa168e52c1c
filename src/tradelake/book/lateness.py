"""What is late: families that have events after the first of those that a fold adds to them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from tradelake.book.groups import FAMILY, Roots
from tradelake.book.reach import Reaching
from tradelake.store import Catalog, Checkpoint
from tradelake.store.cold import HOT
from tradelake.store.fold import latest_of_families
from tradelake.tables import CASH_FLOWS, TRADE_LOG

INSTANT = CASH_FLOWS.schema["effective_at"]


def late_ones(
    catalog: Catalog, roots: Roots, reaching: Reaching, touched: pl.DataFrame, checkpoint: Checkpoint
) -> pl.DataFrame:
    """Return the rows of *touched* of the groups that something late reaches, or a cure.

    `touched` has account_id, root, group, first_at and forced, one row per node.
    """
    forced = touched.filter("forced")
    earliest = touched["first_at"].min()
    if not forced.height and isinstance(earliest, datetime) and earliest > checkpoint.latest_at:
        return touched.clear()
    families = roots.families(touched)
    since = earliest if isinstance(earliest, datetime) else None
    latest = _latest(catalog, roots, reaching, families, checkpoint.sequence, since)
    overtaken = families.join(latest, on=FAMILY).filter(pl.col("first_at") <= pl.col("latest_at"))
    groups = pl.concat([overtaken["group"], forced["group"]])
    return touched.filter(pl.col("group").is_in(groups.implode()))


def _latest(
    catalog: Catalog,
    roots: Roots,
    reaching: Reaching,
    families: pl.DataFrame,
    sequence: int,
    since: datetime | None,
) -> pl.DataFrame:
    """Return the latest effective time that families have at a sequence, by any event that reaches them.

    An event before *since* need not be among them.
    """
    keys = families.select(FAMILY).unique()
    found = [latest_of_families(catalog, keys, sequence, since).select(*FAMILY, "latest_at")]
    nameless = keys.filter(pl.col("symbol") == "").select("account_id")
    if nameless.height:
        with catalog.joined(nameless=nameless):
            told = (
                f"SELECT account_id, '' AS symbol, max(executed_at) AS latest_at FROM {TRADE_LOG.name} "
                "SEMI JOIN nameless USING (account_id) WHERE symbol IS NULL AND sequence <= ? GROUP BY ALL"
            )
            found.append(catalog.frame(told, [sequence], HOT))
    everywhere: dict[str, datetime] = {}
    whole: dict[str, datetime] = {}
    named: dict[tuple[str, str], datetime] = {}
    for reach in reaching.reaches:
        if reach.sequences[0] > sequence or not reach.times:
            continue
        last = max(reach.times)
        symbols = roots.symbols(roots.of(reach.symbols)) | reach.symbols
        for symbol in symbols:
            if reach.everywhere:
                everywhere[symbol] = max(last, everywhere.get(symbol, last))
            for account in reach.accounts:
                named[account, symbol] = max(last, named.get((account, symbol), last))
        for account in reach.whole:
            whole[account] = max(last, whole.get(account, last))
    found.append(_times(named, FAMILY))
    found.append(keys.join(_times({(key,): at for key, at in everywhere.items()}, ["symbol"]), on="symbol"))
    found.append(keys.join(_times({(key,): at for key, at in whole.items()}, ["account_id"]), on="account_id"))
    return pl.concat(frame.select(*FAMILY, "latest_at") for frame in found)


def _times(times: Mapping[Any, datetime], names: list[str]) -> pl.DataFrame:
    schema = {**dict.fromkeys(names, pl.String()), "latest_at": INSTANT}
    return pl.DataFrame([(*key, at) for key, at in times.items()], schema=schema, orient="row")
