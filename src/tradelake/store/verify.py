"""The hash chain, read again: whether commits follow each other, and whether a row of them was touched."""

from dataclasses import dataclass

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.chain import GENESIS, HASH, link, row_digests
from tradelake.tables import FACT_TABLES, HEAD, IMPORT_RUNS, TRADE_LOG, Table

HASHED = (TRADE_LOG, *(table for table in FACT_TABLES if HASH in table.names))


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read again: commits and rows, and what is wrong with them in words, the first first."""

    runs: int
    rows: int
    problems: tuple[str, ...]


def verify_runs(catalog: Catalog, *, after: int = 0) -> Verified:
    """Read the commits after one, and recompute their links of the chain. The caller holds a transaction.

    Found are a commit that is missing or does not follow the one before, a gap in the sequence, a row whose digest is
    not its own, and a head that is not where the last commit left it.
    """
    runs = catalog.frame(
        f"SELECT * FROM {IMPORT_RUNS.name} WHERE import_run_id >= ? ORDER BY import_run_id", [max(after, 1)]
    )
    problems: list[str] = []
    rows = {table.name: _rows(catalog, table, after) for table in HASHED}
    chain, last, number = GENESIS, 0, 0
    if after:
        first = runs.filter(pl.col("import_run_id") == after)
        if first.height != 1:
            return Verified(0, 0, (f"commit {after}: it is there {first.height} times",))
        chain, last, number = first["chain_hash"].item(), first["last_sequence"].item(), after
    count = 0
    for run in runs.filter(pl.col("import_run_id") > after).iter_rows(named=True):
        number += 1
        if run["import_run_id"] != number:
            problems.append(f"commit {number}: it is missing; the next one is {run['import_run_id']}")
            break
        digests: list[bytes] = []
        for table in HASHED:
            mine = rows[table.name].filter(pl.col("import_run_id") == number)
            found = row_digests(mine, table)
            problems += _touched(table, mine, found)
            digests += found
        log = rows[TRADE_LOG.name].filter(pl.col("import_run_id") == number)["sequence"].to_list()
        if log != list(range(last + 1, run["last_sequence"] + 1)):
            problems.append(
                f"commit {number}: its events should be {last + 1} to {run['last_sequence']}, and {len(log)} are there"
            )
        if run["previous_hash"] != chain:
            problems.append(f"commit {number}: it does not follow the commit before it")
        if link(run["previous_hash"], digests) != run["chain_hash"]:
            problems.append(f"commit {number}: its chain hash is not that of its rows")
        chain, last, count = run["chain_hash"], run["last_sequence"], count + len(digests)
    head = catalog.frame(f"SELECT import_run_id, sequence, chain_hash FROM {HEAD.name}").row(0)
    if not problems and head != (number, last, chain):
        problems.append(f"the head says commit {head[0]} and event {head[1]}, the commits end with {number} and {last}")
    return Verified(runs.height - (1 if after else 0), count, tuple(problems))


def _rows(catalog: Catalog, table: Table, after: int) -> pl.DataFrame:
    order = "sequence" if table == TRADE_LOG else ", ".join(table.sort)
    return catalog.frame(f"SELECT * FROM {table.name} WHERE import_run_id > ? ORDER BY import_run_id, {order}", [after])


def _touched(table: Table, rows: pl.DataFrame, digests: list[bytes]) -> list[str]:
    """Return a sentence for each row whose digest is not the one that it has kept."""
    keys = rows.select(table.key).iter_rows()
    return [
        f"{table.name}, {', '.join(map(str, key))}: the row is not what was recorded"
        for key, kept, digest in zip(keys, rows[HASH], digests, strict=True)
        if digest.hex()[:16] != kept
    ]
