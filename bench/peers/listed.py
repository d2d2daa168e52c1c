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
        lacks="flips (cut in two beforehand), times within a day (labels keep lots apart), option events, increments, "
        "storage but text",
        compared="fifo",
        gross=True,
        largest=100_000,
        packages=("beancount==3.2.3", "pyarrow==26.0.1"),
    ),
    Peer(
        name="hledger",
        script="ledger_hledger",
        title="hledger",
        computes="quantities and cost of each account, in exact decimals, of a journal as text; charges as an expense, "
        "so that the cost of what is flat is its gross profit",
        lacks="lots, profit of what is still open, option events, times within a day, storage but text",
        compared="flat",
        gross=True,
        largest=100_000,
        debian="hledger",
    ),
    # The last release for Python 3.11.
    Peer(
        name="nautilus",
        script="positions_nautilus",
        title="NautilusTrader positions",
        computes="positions at average price, net of commissions, in memory",
        lacks="flips (its engine cuts them in two; done beforehand here), lots, FIFO, exact decimals (doubles, rounded "
        "to cents at each fill), option events, corrections, storage",
        compared="flat",
        largest=100_000,
        packages=("nautilus_trader==1.221.0", "numpy==2.4.6", "pandas==2.3.3", "pyarrow==26.0.1"),
    ),
    Peer(
        name="vectorbt",
        script="records_vectorbt",
        title="vectorbt records",
        computes="trades and positions from records of orders, at average price, net of fees, in memory",
        lacks="lots, FIFO, exact decimals (doubles), multipliers, option events, corrections, storage",
        compared="flat",
        packages=("vectorbt==1.2.0", "numba==0.68.1", "numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1"),
    ),
    Peer(
        name="pyfolio",
        script="trips_pyfolio",
        title="pyfolio-reloaded round trips",
        computes="round trips by FIFO, share by share, once fills of one direction with less than eight hours between "
        "them are averaged",
        lacks="FIFO of single fills, exact decimals (doubles), charges, multipliers, open positions, option events, "
        "storage",
        compared="flat",
        gross=True,
        largest=20_000,
        packages=(
            "pyfolio-reloaded==0.10.1",
            "empyrical-reloaded==0.7.1",
            "numpy==2.4.6",
            "pandas==3.1.1",
            "pyarrow==26.0.1",
        ),
    ),
)
