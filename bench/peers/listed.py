"""Which peers there are, and what is to be said of each."""

from bench.peers.kind import Peer

LISTED = (
    Peer(
        name="parquet",
        script="parquet",
        title="Parquet and DuckDB",
        computes="FIFO of trades as one SQL statement, in integers; questions over files",
        lacks="durability, exactly once, option events, corrections, late fills without doing all again, open lots",
        compared="fifo",
    ),
    Peer(
        name="postgres",
        script="postgres",
        title="PostgreSQL, FIFO in plpgsql",
        computes="FIFO of trades in one pass, in integers; questions in SQL (here without syncing to disk)",
        lacks="what is not written in plpgsql: option events, corrections, as known, increments",
        compared="fifo",
        largest=1_000_000,
    ),
    Peer(
        name="arcticdb",
        script="store_arcticdb",
        title="ArcticDB",
        computes="versioned storage of frames; sums of quantities in pandas",
        lacks="lots, profit, exactly once, decimals",
        compared="quantity",
        packages=("arcticdb==6.28.2", "pandas==2.3.3", "pyarrow==26.0.1"),
    ),
    Peer(
        name="beancount",
        script="ledger_beancount",
        title="beancount",
        computes="booking by FIFO with exact decimals; charges as an expense, so that profit is gross",
        lacks="flips (cut in two beforehand), option events, times within a day, increments, storage but text",
        compared="fifo",
        gross=True,
        largest=20_000,
        packages=("beancount==3.2.3", "pyarrow==26.0.1"),
    ),
)
