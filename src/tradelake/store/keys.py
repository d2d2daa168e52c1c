"""Natural keys: how a second delivery of the same event is recognised.

An event with a broker's execution id is known by (broker account, execution id, leg); its allocations to several
of our accounts are told apart by the account. Without one it is known by the trade id that its source gave, with the
leg. Without any id it is known by its content and its occurrence number within the source, so that N identical
fills stay N, and the same source twice adds nothing. The content of a corporate action, a move or a cure is also what
only its kind has: ratios and amounts, the other account or instrument, the event that it cures.

The index of a writer holds 64-bit hashes in memory, so that recording one fill reads nothing but the tail of the log.
A hash only finds candidates; what they are is read from the log and compared there.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.tables import CURE_KINDS, OPTION_KINDS, TRADE_KINDS, TRADE_LOG

PLAIN_KINDS = (*TRADE_KINDS, *OPTION_KINDS, "cash")
OF_OTHER_KINDS = ("new_instrument_id", "to_account_id", "target_id", "details")

CONTENT = (
    "broker_account_id",
    "account_id",
    "kind",
    "instrument_id",
    "symbol",
    "action",
    "executed_at",
    "quantity",
    "price",
    "commission",
    "fees",
    "net_amount",
    "currency",
    "order_id",
    "broker_order_id",
    "leg_id",
    "cash_category",
)
COMPARED = (
    "kind",
    "account_id",
    "instrument_id",
    "side",
    "executed_at",
    "quantity",
    "price",
    "commission",
    "fees",
    "amount",
    *OF_OTHER_KINDS,
)

# Interactive Brokers corrects an execution under an id that differs only after its last dot.
CORRECTABLE = r"^([0-9A-Fa-f]{8}\.[0-9A-Fa-f]{8}\.[0-9]{2})\.[0-9]{2}$"


def execution_base(column: str = "broker_execution_id") -> pl.Expr:
    """Return the part of an execution id that a broker's correction keeps: all of it but for the broker's own form."""
    return pl.col(column).str.replace(CORRECTABLE, "${1}")


def execution_key() -> pl.Expr:
    """Return what is one execution at the broker: its allocations and corrections share it; null without an id."""
    return pl.concat_str(pl.lit("X"), _or_nobody("broker_account_id"), execution_base(), "leg_id", separator="|")


def _or_nobody(column: str) -> pl.Expr:
    """Return an account: empty for a corporate action, which has none."""
    return pl.col(column).fill_null("")


def _escaped(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all("%", "%25", literal=True).str.replace_all("|", "%7C", literal=True)


def text_of(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as canonical text: instants as microseconds, dates as days, null as a mark of its own."""
    expression = pl.col(column)
    if isinstance(dtype, pl.Datetime):
        expression = expression.dt.timestamp("us")
    elif isinstance(dtype, pl.Date):
        expression = expression.cast(pl.Int32)
    return expression.cast(pl.String).fill_null("\x00")


def with_keys(events: pl.DataFrame) -> pl.DataFrame:
    """Return incoming events with their `natural_key`."""
    execution = pl.concat_str(
        pl.lit("X"),
        _escaped("broker_account_id").fill_null(""),
        _escaped("broker_execution_id"),
        _escaped("leg_id"),
        _escaped("account_id").fill_null(""),
        separator="|",
    )
    given = pl.concat_str(pl.lit("T"), _escaped("trade_id"), _escaped("leg_id"), separator="|")
    keyed = events.with_columns(pl.coalesce(execution, given).alias("natural_key"))
    if not keyed["natural_key"].null_count():
        return keyed
    content = pl.concat_str([text_of(name, events.schema[name]) for name in CONTENT], separator="\x1f")
    if not _are_plain(events):
        more = [text_of(name, events.schema[name]) for name in OF_OTHER_KINDS]
        others = pl.concat_str([content, *more], separator="\x1f")
        content = pl.when(pl.col("kind").is_in(PLAIN_KINDS)).then(content).otherwise(others)
    occurrence = pl.int_range(pl.len()).over("content")
    return (
        keyed.with_columns(content.alias("content"))
        .with_columns(
            pl.when(pl.col("natural_key").is_null())
            .then(
                pl.concat_str(
                    pl.lit("C"),
                    pl.col("content").map_batches(_digests, return_dtype=pl.String),
                    occurrence,
                    separator="|",
                )
            )
            .otherwise("natural_key")
            .alias("natural_key")
        )
        .drop("content")
    )


def _digests(texts: pl.Series) -> pl.Series:
    from hashlib import sha256

    return pl.Series([sha256(text.encode()).hexdigest()[:32] for text in texts], dtype=pl.String)


def generated_ids(keys: pl.Series) -> pl.Series:
    """Return a trade id for each natural key: the same event gets the same id in every book."""
    return _digests(keys).str.slice(0, 16)


def _are_plain(events: pl.DataFrame) -> bool:
    return bool(events["kind"].is_in(PLAIN_KINDS).all())


def comparable(events: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that make two deliveries the same, under the names of COMPARED.

    A cure has the account and the instrument of its target in the log, whether its source named them or not.
    """
    nothing = pl.lit(None, dtype=pl.String)
    owner: list[pl.Expr] = [pl.col("account_id"), pl.col("instrument_id")]
    others = [nothing.alias(name) for name in OF_OTHER_KINDS]
    if not _are_plain(events):
        kind = pl.col("kind")
        owner = [pl.when(~kind.is_in(CURE_KINDS)).then(column) for column in owner]
        others = [pl.when(~kind.is_in(PLAIN_KINDS)).then(name).alias(name) for name in OF_OTHER_KINDS]
    return events.select(
        *(c for c in ("natural_key", "sequence") if c in events.columns),
        "kind",
        *owner,
        pl.col("action").str.split("_").list.first().alias("side"),
        "executed_at",
        "quantity",
        "price",
        "commission",
        "fees",
        pl.when(pl.col("kind") == "cash").then("net_amount").alias("amount"),
        *others,
    )


class KeyIndex:
    """Hashes of the keys of the log, up to a sequence; refreshed from the tail before every append."""

    def __init__(self) -> None:
        self._sequence = 0
        self._hashes = np.empty(0, dtype=np.uint64)
        self._owners = np.empty(0, dtype=np.int64)
        self._tail: dict[int, list[int]] = {}

    def refresh(self, catalog: Catalog, head: int) -> None:
        """Read the keys of the log after the last one that is known."""
        if head <= self._sequence:
            return
        rows = catalog.frame(
            "SELECT sequence, natural_key, trade_id, leg_id, broker_account_id, broker_execution_id, account_id "
            f"FROM {TRADE_LOG.name} WHERE sequence > ? ORDER BY sequence",
            [self._sequence],
        )
        self.add(rows)

    def add(self, rows: pl.DataFrame) -> None:
        """Take in rows of the log that follow what is known."""
        hashes = key_hashes(rows)
        owners = np.concatenate([rows["sequence"].to_numpy()] * len(hashes))
        values = np.concatenate(hashes)
        if values.size < 10_000:
            for value, owner in zip(values.tolist(), owners.tolist(), strict=True):
                self._tail.setdefault(value, []).append(owner)
        else:
            merged = np.concatenate([self._hashes, values])
            order = np.argsort(merged, kind="stable")
            self._hashes, self._owners = merged[order], np.concatenate([self._owners, owners])[order]
        if rows.height:
            self._sequence = max(self._sequence, int(rows["sequence"].to_numpy().max()))

    def add_own(self, rows: pl.DataFrame) -> None:
        """Take in rows that this process has just committed, where they follow what is known."""
        if rows.height and int(rows["sequence"].to_numpy().min()) == self._sequence + 1:
            self.add(rows)

    def candidates(self, events: pl.DataFrame) -> list[int]:
        """Return the sequences of the log rows that may share a key with one of the events."""
        if not self._hashes.size and not self._tail:
            return []
        values = np.unique(np.concatenate(key_hashes(events)))
        found: list[int] = []
        if self._hashes.size and values.size:
            left = np.searchsorted(self._hashes, values, "left")
            right = np.searchsorted(self._hashes, values, "right")
            # A key has one owner but for the allocations of one execution, so the runs are short.
            for step in range(int((right - left).max(initial=0))):
                hit = left + step < right
                found.extend(self._owners[left[hit] + step].tolist())
        if self._tail:
            for value in values.tolist():
                found.extend(self._tail.get(value, ()))
        return sorted(set(found))


def key_hashes(rows: pl.DataFrame) -> Sequence["np.ndarray"]:
    """Return two 64-bit hashes per row: of what recognises its execution, and of its trade id."""
    hashed = rows.select(
        pl.coalesce(execution_key(), "natural_key").hash(1).alias("execution"),
        pl.concat_str(pl.lit("T"), "trade_id", "leg_id", separator="|").hash(1).alias("trade"),
    )
    return (
        [hashed["execution"].to_numpy(), hashed.drop_nulls("trade")["trade"].to_numpy()]
        if not hashed["trade"].null_count()
        else [hashed["execution"].to_numpy()]
    )
