"""Natural keys: how a second delivery of the same event is recognised.

An event with a broker's execution id is known by (broker account, execution id, leg); its allocations to several
of our accounts are told apart by the account. Without one it is known by the trade id that its source gave, with the
leg. Without any id it is known by its content and its occurrence number within the source, so that N identical
fills stay N, and the same source twice adds nothing. The content of a corporate action, a move or a cure is also what
only its kind has: ratios and amounts, the other account or instrument, the event that it cures.

Every row of the log has a checksum of what is one execution, and one of its trade id. They only find candidates: what
these are is read from the log and compared there. `index.py` searches them.
"""

from itertools import pairwise
from zlib import crc32

import numpy as np
import polars as pl

from tradelake.tables import CURE_KINDS, OPTION_KINDS, TRADE_KINDS

Integers = np.ndarray[tuple[int], np.dtype[np.int64]]

NULL_TEXT = "\x00"
# So many texts are taken from one buffer rather than one by one.
MANY = 1_000
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

DIGEST_COLUMNS = ("execution_digest", "trade_digest")

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
    return expression.cast(pl.String).fill_null(NULL_TEXT)


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
                    pl.col("content").map_batches(text_digests, return_dtype=pl.String),
                    occurrence,
                    separator="|",
                )
            )
            .otherwise("natural_key")
            .alias("natural_key")
        )
        .drop("content")
    )


def text_digests(texts: pl.Series) -> pl.Series:
    """Return the first half of the SHA-256 of each text, in hexadecimal."""
    from hashlib import sha256

    if texts.null_count() or texts.len() < MANY:
        return pl.Series([sha256(text.encode()).hexdigest()[:32] for text in texts], dtype=pl.String)
    written, offsets = joined_texts(texts)
    ends = pairwise(offsets.tolist())
    return pl.Series([sha256(written[start:end]).hexdigest()[:32] for start, end in ends], dtype=pl.String)


def generated_ids(keys: pl.Series) -> pl.Series:
    """Return a trade id for each natural key: the same event gets the same id in every book."""
    return text_digests(keys).str.slice(0, 16)


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


def _key_texts(rows: pl.DataFrame, execution: str, trade: str) -> pl.DataFrame:
    """Return what is one execution, and what is one trade id with its leg, as texts under some names."""
    return rows.select(pl.coalesce(execution_key(), "natural_key").alias(execution), _trade_key().alias(trade))


def _trade_key() -> pl.Expr:
    return pl.concat_str(pl.lit("T"), "trade_id", "leg_id", separator="|")


def key_digests(rows: pl.DataFrame) -> pl.DataFrame:
    """Return what finds another delivery of each row: `execution_digest` and `trade_digest`, null without a trade id.

    They are CRC-32 checksums: equal keys have equal ones, and few others do.
    """
    return pl.DataFrame([_checksums(column) for column in _key_texts(rows, *DIGEST_COLUMNS)])


def key_hashes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return numbers of the same keys that hold within this process: 64 bits, made at once; null without a key."""
    return _hashes(_key_texts(rows, *DIGEST_COLUMNS))


def _hashes(texts: pl.DataFrame) -> pl.DataFrame:
    number = pl.all().hash(seed=0).reinterpret(signed=True)
    return texts.select(pl.when(pl.all().is_not_null()).then(number))


def trade_numbers(names: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Return the checksums of trade ids with their legs as `key_digests` has them, and the numbers of `key_hashes`."""
    texts = names.select(_trade_key().alias(DIGEST_COLUMNS[1]))
    return _checksums(texts.to_series()), _hashes(texts).to_series()


def key_checks(rows: pl.DataFrame) -> pl.DataFrame:
    """Return 64 bits of the same keys: `execution_key` and `trade_key`."""
    return pl.DataFrame([_checks(column) for column in _key_texts(rows, "execution_key", "trade_key")])


def _checks(texts: pl.Series) -> pl.Series:
    from hashlib import sha256

    values = (None if text is None else sha256(text.encode()).digest()[:8] for text in texts)
    numbers = [None if value is None else int.from_bytes(value, signed=True) for value in values]
    return pl.Series(texts.name, numbers, dtype=pl.Int64)


def _checksums(texts: pl.Series) -> pl.Series:
    if texts.null_count() or texts.len() < MANY:
        values = [None if text is None else crc32(text.encode()) for text in texts]
    else:
        written, offsets = joined_texts(texts)
        values = [crc32(written[start:end]) for start, end in pairwise(offsets.tolist())]
    return pl.Series(texts.name, values, dtype=pl.Int64)


def joined_texts(texts: pl.Series) -> "tuple[memoryview, Integers]":
    """Return texts without nulls as UTF-8, one after the other, and where each begins; the last entry is the end."""
    array = texts.rechunk().to_arrow()
    _, places, written = array.buffers()
    offsets = np.frombuffer(places, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    # The buffer may be longer than the texts.
    return memoryview(written)[: int(offsets[-1])], offsets
