"""Every table once: columns, types, units, nulls, keys, references, checks, sort order and partitions.

From these definitions follow the Polars schemas, the DuckLake DDL and the PostgreSQL DDL (`ddl.py`), and so
the files in `schemas/`. A column that is not here is nowhere.

Three kinds of table: what we were told (`trade_log`, `source_records`, `import_runs`), what it refers to
(`accounts`, `instruments`, `strategies`, `corporate_actions`), and what follows from it (`lots`, `matches`,
`positions`, `position_history`, `cash_flows`, `refusals`): the last are a checkpoint at a log sequence.
"""

from tradelake.tables.columns import (
    ACTIONS,
    ASSET_TYPES,
    CASH_CATEGORIES,
    DUCKDB_TYPES,
    EXERCISE_STYLES,
    HOWS,
    KINDS,
    LOT_METHODS,
    OPTION_KINDS,
    OPTION_TYPES,
    POLARS_TYPES,
    POSTGRES_TYPES,
    SETTLEMENTS,
    STATUSES,
    TRADE_KINDS,
    Column,
    Table,
)
from tradelake.tables.ddl import ducklake_ddl, ducklake_script, postgres_ddl, postgres_script
from tradelake.tables.derived import (
    BOOK_SETTINGS,
    CASH_FLOWS,
    CHECKPOINT,
    HEAD,
    LOTS,
    MATCHES,
    POSITION_COLUMNS,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
)
from tradelake.tables.groups import (
    BY_NAME,
    DERIVED_TABLES,
    INTERNAL_TABLES,
    REFERENCE_TABLES,
    TABLES,
    TOLD_TABLES,
)
from tradelake.tables.incoming import INCOMING, RECORDS
from tradelake.tables.reference import ACCOUNTS, INSTRUMENTS, STRATEGIES, TERMS
from tradelake.tables.told import CORPORATE_ACTIONS, IMPORT_RUNS, SOURCE_RECORDS, TRADE_LOG

__all__ = [
    "ACCOUNTS",
    "ACTIONS",
    "ASSET_TYPES",
    "BOOK_SETTINGS",
    "BY_NAME",
    "CASH_CATEGORIES",
    "CASH_FLOWS",
    "CHECKPOINT",
    "CORPORATE_ACTIONS",
    "DERIVED_TABLES",
    "DUCKDB_TYPES",
    "EXERCISE_STYLES",
    "HEAD",
    "HOWS",
    "IMPORT_RUNS",
    "INCOMING",
    "INSTRUMENTS",
    "INTERNAL_TABLES",
    "KINDS",
    "LOTS",
    "LOT_METHODS",
    "MATCHES",
    "OPTION_KINDS",
    "OPTION_TYPES",
    "POLARS_TYPES",
    "POSITIONS",
    "POSITION_COLUMNS",
    "POSITION_HISTORY",
    "POSTGRES_TYPES",
    "RECORDS",
    "REFERENCE_TABLES",
    "REFUSALS",
    "SETTLEMENTS",
    "SOURCE_RECORDS",
    "STATUSES",
    "STRATEGIES",
    "TABLES",
    "TERMS",
    "TOLD_TABLES",
    "TRADE_KINDS",
    "TRADE_LOG",
    "Column",
    "Table",
    "ducklake_ddl",
    "ducklake_script",
    "postgres_ddl",
    "postgres_script",
]
