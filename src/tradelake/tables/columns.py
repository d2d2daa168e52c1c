"""What a column and a table are, and the types they are made of.

Each type by name has an exact twin in Polars, DuckDB and PostgreSQL.
"""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from tradelake.errors import InvariantError
from tradelake.units import MONEY, QUANTITY

ASSET_TYPES = ("STOCK", "OPTION", "INDEX", "RIGHT", "WARRANT")
OPTION_TYPES = ("CALL", "PUT")
ACTIONS = ("BUY_TO_OPEN", "SELL_TO_OPEN", "BUY_TO_CLOSE", "SELL_TO_CLOSE", "BUY", "SELL")
LOT_METHODS = ("FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC")
TRADE_KINDS = ("trade",)
OPTION_KINDS = ("exercise", "assign", "cash_settle", "expire")
CASH_CATEGORIES = ("deposit", "fee", "interest", "dividend")
CORPORATE_KINDS = (
    "split",
    "cash_dividend",
    "return_of_capital",
    "spin_off",
    "rights_issue",
    "merger",
    "symbol_change",
    "option_adjust",
)
MOVE_KINDS = ("transfer", "fork", "merge")
CURE_KINDS = ("cancel", "correct")
CHAIN_KINDS = ("chain_join", "chain_split", "chain_name")
KINDS = (
    *TRADE_KINDS,
    *OPTION_KINDS,
    "subscribe",
    "cash",
    *CORPORATE_KINDS,
    *MOVE_KINDS,
    "lot_method",
    *CURE_KINDS,
    *CHAIN_KINDS,
)
HOWS = (
    "trade",
    "expired",
    "exercised",
    "assigned",
    "cash_settled",
    "cash_in_lieu",
    "return_of_capital",
    "merger",
    "boot",
)
HOWS_OF_OPEN_LOTS = ("return_of_capital", "boot")
FLOW_CATEGORIES = ("settlement", "dividend", "corporate_action", "transfer")
TREATMENTS = ("reorganization", "taxable")
SETTLEMENTS = ("PHYSICAL", "CASH")
EXERCISE_STYLES = ("AMERICAN", "EUROPEAN")
STATUSES = ("OPEN", "CLOSED")

POLARS_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "json": pl.String(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "quantity": QUANTITY,
    "money": MONEY,
    "date": pl.Date(),
    "instant": pl.Datetime("us", "UTC"),
}
DUCKDB_TYPES = {
    "text": "VARCHAR",
    "json": "VARCHAR",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "quantity": "DECIMAL(38, 8)",
    "money": "DECIMAL(38, 12)",
    "date": "DATE",
    "instant": "TIMESTAMPTZ",
}
POSTGRES_TYPES = {
    # In the order of bytes, as the book has it, whatever the server's language is; it is also the fastest to sort.
    "text": 'text COLLATE "C"',
    "json": "json",
    "integer": "bigint",
    "boolean": "boolean",
    "quantity": "numeric(38, 8)",
    "money": "numeric(38, 12)",
    "date": "date",
    "instant": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type by name, whether it may be null, what it refers to and what it means."""

    name: str
    type: str
    comment: str
    null: bool = False
    references: str = ""
    values: tuple[str, ...] = ()
    check: str = ""
    unique: bool = False


# What a commit gives every row of what was told: its number, and the check value of the row.
COMMITTED = (
    Column("import_run_id", "integer", "commit that brought it", references="import_runs.import_run_id"),
    Column("row_check", "integer", "CRC-32 of the row, which names one that was touched"),
)


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, its primary key, sort order, partition date and indexes."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    sort: tuple[str, ...] = ()
    partition_date: str = ""
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    checks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @cached_property
    def schema(self) -> pl.Schema:
        """The Polars schema of a frame with the rows of this table."""
        return pl.Schema({column.name: POLARS_TYPES[column.type] for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return a frame of this table without rows."""
        return self._empty.clone()

    @cached_property
    def _empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return *frame* with exactly the columns of this table in order.

        A nullable column that is missing becomes null, and what the commit is to give becomes 0; any other raises
        InvariantError.
        """
        if frame.schema == self.schema:
            return frame
        given = set(frame.columns)
        missing = [c.name for c in self.columns if c.name not in given and not c.null and c not in COMMITTED]
        if missing:
            raise InvariantError(f"{self.name}: the frame has no column {', '.join(missing)}")
        return frame.select(
            (pl.col(c.name) if c.name in given else pl.lit(0 if c in COMMITTED else None).alias(c.name)).cast(
                POLARS_TYPES[c.type]
            )
            for c in self.columns
        )
