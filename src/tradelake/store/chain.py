"""The hash chain: every commit is bound to all before it, and every row can be named when it was touched.

Problem: all that was told is to be bound, in whatever file or month it lies, so that a month may leave for an archive
and the chain still be proven; and neither one fill nor a million may become slow by it.

Decision: a row keeps the CRC-32 of its canonical text (`row_check`), which names a touched row and proves nothing. The
proof is in *leaves*: a leaf is the SHA-256 over
the texts of the rows that one commit brought to one month of one table, in the order of their key. A commit's link of
the chain is the SHA-256 over the link before it and its leaves. Whoever has the leaves of a month does not need its
rows to prove the commits. The first link stands on the id of the book and the instant at which it was made.

Limit: rows that were inserted or left out are known by their commit, and a row that was changed together with its
check value as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from zlib import crc32

import numpy as np
import polars as pl

from tradelake.store.ahead import worked_ahead
from tradelake.store.canonical import CHECK, FIELD, text_bytes, text_of_row
from tradelake.store.keys import Integers
from tradelake.tables import Table

RUN = "import_run_id"
NUMBER = "number of the month"  # no table has such a column
FEW = 8
SLICE = 50_000
LEAVES = pl.Schema({RUN: pl.Int64, "table_name": pl.String, "month": pl.String, "rows": pl.Int64, "digest": pl.Binary})

Leaf = tuple[str, str, int, bytes]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What the rows of a frame come to: the check value of each in the order of the frame, and the leaves.

    Leaf by leaf: its commit, its month as text (empty where the table has no months), its rows and its digest;
    commits ascending, then months.
    """

    table: Table
    checks: Integers
    runs: list[int]
    months: list[str]
    rows: list[int]
    digests: list[bytes]

    def of_one_commit(self) -> list[Leaf]:
        """Return the leaves as `link` takes them, where all rows are of one commit."""
        name = [self.table.name] * len(self.rows)
        return list(zip(name, self.months, self.rows, self.digests, strict=True))

    def frame(self) -> pl.DataFrame:
        """Return the leaves as a frame of LEAVES."""
        names = [self.table.name] * len(self.rows)
        return pl.DataFrame([self.runs, names, self.months, self.rows, self.digests], schema=LEAVES)


def genesis(book_id: str, created_at: str) -> str:
    """Return what stands before the first commit of a book."""
    return sha256(f"{book_id}{FIELD}{created_at}".encode()).hexdigest()


def link(previous: str, leaves: Iterable[Leaf]) -> str:
    """Return the next link of the chain; the leaves come in the order of CHAINED_TABLES, months ascending."""
    chain = sha256(bytes.fromhex(previous))
    for name, month, rows, digest in leaves:
        chain.update(f"{name}{FIELD}{month}{FIELD}{rows}{FIELD}".encode() + digest)
    return chain.hexdigest()


def leaves_of(rows: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Return the leaves of rows of a table, of any commits: one row of LEAVES per commit and month."""
    return sealed(rows, table).frame()


def with_checks(rows: pl.DataFrame, table: Table) -> tuple[pl.DataFrame, list[Leaf]]:
    """Return the rows of one commit with their check values, and their leaves."""
    if not rows.height:
        return rows, []
    seal = sealed(rows, table)
    return rows.with_columns(pl.Series(CHECK, seal.checks)), seal.of_one_commit()


def sealed(rows: pl.DataFrame, table: Table) -> Sealed:
    """Return check values and leaves of rows, in whatever order they come."""
    return _sealed_few(rows, table) if rows.height <= FEW else _sealed_many(rows, table)


def _sealed_few(rows: pl.DataFrame, table: Table) -> Sealed:
    given = list(rows.iter_rows(named=True))
    texts = [text_of_row(row, table) for row in given]
    day = table.partition_date
    months = [f"{row[day].year:04}-{row[day].month:02}" if day else "" for row in given]
    keys = [tuple(row[name] for name in table.key) for row in given]
    groups: dict[tuple[int, str], list[bytes]] = {}
    for run, month, _, text in sorted(zip((row[RUN] for row in given), months, keys, texts, strict=True)):
        groups.setdefault((run, month), []).append(text)
    return Sealed(
        table=table,
        checks=np.array([crc32(text) for text in texts], dtype=np.int64),
        runs=[run for run, _ in groups],
        months=[month for _, month in groups],
        rows=[len(found) for found in groups.values()],
        digests=[sha256(b"".join(found)).digest() for found in groups.values()],
    )


def _sealed_many(rows: pl.DataFrame, table: Table) -> Sealed:
    keys = rows.select(RUN, month_number(table).alias(NUMBER), *(key for key in table.key if key != RUN))
    order = keys.select(pl.arg_sort_by(keys.columns))[:, 0].to_numpy().astype(np.int64)
    in_order = bool((order == np.arange(rows.height)).all())
    runs, months = (keys[name].to_numpy()[order] for name in (RUN, NUMBER))
    starts = np.flatnonzero(np.diff(runs, prepend=-1) | np.diff(months, prepend=-1))
    bounds = np.append(starts, rows.height)
    checks = np.empty(rows.height, dtype=np.int64)
    digests: list[bytes] = []
    digest = sha256()

    def written(start: int) -> tuple[memoryview, Integers]:
        piece = rows.slice(start, SLICE) if in_order else rows[order[start : start + SLICE]]
        return text_bytes(piece, table)

    starting = range(0, rows.height, SLICE)
    texts = worked_ahead(written, starting) if len(starting) > 1 else map(written, starting)
    for start, (text, offsets) in zip(starting, texts, strict=True):
        taken = order[start : start + SLICE]
        ends = offsets.tolist()
        checks[taken] = [crc32(text[a:b]) for a, b in pairwise(ends)]
        inside = bounds[np.searchsorted(bounds, start, "right") : np.searchsorted(bounds, start + len(taken), "right")]
        last = ends[0]
        for end in offsets[inside - start].tolist():
            digest.update(text[last:end])
            digests.append(digest.digest())
            digest, last = sha256(), end
        digest.update(text[last : ends[-1]])
    return Sealed(
        table=table,
        checks=checks,
        runs=runs[starts].tolist(),
        months=[_month_text(number) for number in months[starts].tolist()],
        rows=np.diff(bounds).tolist(),
        digests=digests,
    )


def month_number(table: Table) -> pl.Expr:
    """Return the month of each row of a table, counted from the year 0; 0 where the table has no months."""
    if not table.partition_date:
        return pl.lit(0, dtype=pl.Int64)
    day = pl.col(table.partition_date).dt
    return day.year().cast(pl.Int64) * 12 + day.month().cast(pl.Int64) - 1


def _month_text(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}" if number else ""
