"""The hash chain: every commit is bound to all before it, and every row can be named when it was touched.

A row's digest is the SHA-256 of its canonical text; the row keeps the first 16 digits. A commit's link is the SHA-256
of the previous link and of the full digests of its rows: those of the log in sequence order, then those of other
tables that have a `row_hash`.
"""

from hashlib import sha256

import polars as pl

from tradelake.store.keys import text_of
from tradelake.tables import POLARS_TYPES, TRADE_LOG, Table

GENESIS = "0" * 64
SLICE = 100_000
HASH = "row_hash"


def with_hashes(rows: pl.DataFrame, table: Table = TRADE_LOG) -> tuple[pl.DataFrame, list[bytes]]:
    """Return rows with their `row_hash`, and the full digest of each in the order of the frame."""
    digests = row_digests(rows, table)
    return rows.with_columns(pl.Series(HASH, [d.hex()[:16] for d in digests], dtype=pl.String)), digests


def row_digests(rows: pl.DataFrame, table: Table = TRADE_LOG) -> list[bytes]:
    """Return the digest of every row of a table, in the order of the frame."""
    hashed = [column for column in table.columns if column.name != HASH]
    text = pl.concat_str([text_of(c.name, POLARS_TYPES[c.type]) for c in hashed], separator="\x1f")
    digests: list[bytes] = []
    for start in range(0, rows.height, SLICE):
        texts = rows.slice(start, SLICE).select(text.alias("text"))["text"]
        digests.extend(sha256(value.encode()).digest() for value in texts)
    return digests


def link(previous: str, digests: list[bytes]) -> str:
    """Return the next link of the chain."""
    chain = sha256(bytes.fromhex(previous))
    for digest in digests:
        chain.update(digest)
    return chain.hexdigest()
