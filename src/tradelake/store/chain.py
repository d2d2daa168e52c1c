"""The hash chain: every commit is bound to all before it, and every row can be named when it was touched.

A row's digest is the SHA-256 of its canonical text; the row keeps the first 16 digits. A commit's link is the SHA-256
of the previous link and of the full digests of its rows in sequence order.
"""

from hashlib import sha256

import polars as pl

from tradelake.store.keys import text_of
from tradelake.tables import POLARS_TYPES, TRADE_LOG

GENESIS = "0" * 64
SLICE = 100_000
HASHED = tuple(column for column in TRADE_LOG.columns if column.name != "row_hash")


def row_digests(rows: pl.DataFrame) -> list[bytes]:
    """Return the digest of every row of the log, in the order of the frame."""
    text = pl.concat_str([text_of(c.name, POLARS_TYPES[c.type]) for c in HASHED], separator="\x1f")
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
