"""PostgreSQL and DuckLake accept the DDL, hold every value of every type, and PostgreSQL refuses the rest."""

import re
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files

import duckdb
import polars as pl
import psycopg
import pytest
from psycopg import sql

from tests.tables.rows import extreme_rows, valid_row
from tradelake.errors import InvariantError
from tradelake.tables import (
    CHAINED_TABLES,
    LOTS,
    MATCHES,
    ROLES,
    TABLES,
    TRADE_LOG,
    TRADE_LOG_KEYS,
    TWIN_TABLES,
    Column,
    Table,
    dependency_order,
    ducklake_ddl,
    postgres_ddl,
)

Postgres = psycopg.Connection[tuple[object, ...]]

COLUMNS = [(table, column) for table in TABLES for column in table.columns]
BREAKING_VALUES: dict[str, object] = {
    "bytes > 0": 0,
    "rows > 0": 0,
    "strike > 0": Decimal(0),
    "multiplier > 0": Decimal(-1),
    "quantity > 0": Decimal(0),
    "quantity <> 0": Decimal(0),
    "price >= 0": Decimal(-1),
    "delta between -1 and 1": Decimal("1.000000000001"),
    "ratio_new > 0": 0,
    "ratio_old > 0": 0,
}
BREAKING_ROWS: dict[str, list[dict[str, object]]] = {
    # table: for each of its checks, in their order, what breaks it in an otherwise valid row
    "holds": [{"account_id": None, "symbol": None}],
    "instruments": [{"asset_type": "OPTION", "underlying_instrument_id": None}],
    "trade_log": [
        {"instrument_id": None},
        {"account_id": None},
        {"kind": "cancel", "target_id": None},
        {"kind": "merge", "to_account_id": None},
        {"price": None},
        {"asset_type": "OPTION", "strike": None},
        {"asset_type": "OPTION", "trade_date": "2026-01-17", "expiration": "2026-01-16"},
    ],
}


def named(value: object) -> str:
    return value.name if isinstance(value, Table | Column) else str(value)


def insert(connection: Postgres, table: Table, row: dict[str, object], name: sql.Identifier | None = None) -> None:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        name or sql.Identifier(table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() * len(row)),
    )
    connection.execute(statement, list(row.values()))


def refusal(connection: Postgres, table: Table, row: dict[str, object]) -> psycopg.errors.Diagnostic:
    """Insert *row*, which must be refused as a violation of a constraint, and return what PostgreSQL says."""
    with pytest.raises(psycopg.errors.IntegrityError) as caught, connection.transaction():
        insert(connection, table, row)
    return caught.value.diag


def other(row: dict[str, object], table: Table) -> dict[str, object]:
    """Return *row* under keys that no row has yet, so that only what is changed besides can be refused."""
    names = {*table.key, *(name for names in table.unique for name in names)}
    keys = [column for column in table.columns if column.name in names or column.unique]
    numbers = {c.name: 2 if c.references else 3 for c in keys if c.type == "integer"}
    return row | numbers | {c.name: "other" for c in keys if c.type == "text" and not c.references}


@pytest.fixture(scope="module")
def created(postgres_server) -> Iterator[Postgres]:
    """Yield a connection to a database with a valid row in every table, and a second one in the log."""
    with psycopg.connect(postgres_server.create_database(), autocommit=True) as connection:
        for statement in postgres_ddl():
            connection.execute(statement.encode())
        connection.execute("SELECT add_trade_log_month('2026-01-16'), add_trade_log_month('2026-01-31')")
        for table in dependency_order(TABLES):
            insert(connection, table, valid_row(table))
        second = {"sequence": 2, "trade_id": "second", "natural_key": "second"}
        insert(connection, TRADE_LOG, valid_row(TRADE_LOG) | second)
        yield connection


@pytest.fixture
def postgres(created: Postgres) -> Iterator[Postgres]:
    with created.transaction(force_rollback=True):
        yield created


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COLUMNS if not c.null], ids=named)
def test_postgres_refuses_null_where_none_may_be(postgres, table, column):
    told = refusal(postgres, table, other(valid_row(table), table) | {column.name: None})
    if column.name == "trade_date" and table is TRADE_LOG:
        assert told.message_primary == 'no partition of relation "trade_log" found for row'
        return
    month = "_2026_01" if table is TRADE_LOG else ""
    assert (told.table_name, told.column_name) == (f"{table.name}{month}", column.name)


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COLUMNS if c.values], ids=named)
def test_postgres_refuses_a_value_that_is_not_listed(postgres, table, column):
    told = refusal(postgres, table, other(valid_row(table), table) | {column.name: "UNLISTED"})
    assert told.constraint_name == f"{table.name}_{column.name}_check"


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COLUMNS if c.check], ids=named)
def test_postgres_refuses_a_value_outside_its_check(postgres, table, column):
    broken = {column.name: BREAKING_VALUES[column.check]}
    told = refusal(postgres, table, other(valid_row(table), table) | broken)
    assert told.constraint_name == f"{table.name}_{column.name}_check"


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COLUMNS if c.references], ids=named)
def test_postgres_refuses_a_reference_to_nothing(postgres, table, column):
    unknown: object = 999 if column.type == "integer" else "unknown"
    told = refusal(postgres, table, other(valid_row(table), table) | {column.name: unknown})
    assert told.constraint_name == f"{table.name}_{column.name}_fkey"


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_postgres_refuses_the_same_key_twice(postgres, table):
    row = valid_row(table)
    fresh = other(row, table)
    told = refusal(postgres, table, fresh | {name: row[name] for name in table.key})
    assert told.constraint_name == f"{table.name}{'_2026_01' if table is TRADE_LOG else ''}_pkey"


@pytest.mark.parametrize(
    ("table", "names"),
    [(t, (c.name,)) for t, c in COLUMNS if c.unique] + [(t, names) for t in TABLES for names in t.unique],
    ids=named,
)
def test_postgres_refuses_a_unique_value_twice(postgres, table, names):
    row = valid_row(table)
    told = refusal(postgres, table, other(row, table) | {name: row[name] for name in names})
    keyed = TRADE_LOG_KEYS if table is TRADE_LOG else table
    assert told.constraint_name == f"{keyed.name}_{'_'.join(names)}_key"


def test_postgres_refuses_a_sequence_twice_in_different_months(postgres):
    postgres.execute("SELECT add_trade_log_month('2026-02-01')")
    row = other(valid_row(TRADE_LOG), TRADE_LOG) | {"sequence": 1, "trade_date": "2026-02-02", "expiration": None}
    told = refusal(postgres, TRADE_LOG, row | {"asset_type": "STOCK"})
    assert told.constraint_name == "trade_log_keys_pkey"


def test_the_log_has_a_partition_for_each_month_that_was_asked_for(postgres):
    postgres.execute("SELECT add_trade_log_month('9999-12-31'), add_trade_log_month('0001-01-01')")
    found = postgres.execute("SELECT relid::text FROM pg_partition_tree('trade_log') WHERE isleaf")
    assert {name for (name,) in found} == {"trade_log_2026_01", "trade_log_9999_12", "trade_log_0001_01"}


def test_an_event_that_something_refers_to_cannot_go_and_takes_its_keys_with_it_otherwise(postgres):
    with pytest.raises(psycopg.errors.ForeignKeyViolation), postgres.transaction():
        postgres.execute("DELETE FROM trade_log WHERE sequence = 1")
    postgres.execute("DELETE FROM trade_log WHERE sequence = 2")
    assert postgres.execute("SELECT array_agg(sequence) FROM trade_log_keys").fetchone() == ([1],)


def test_a_reader_reads_and_a_writer_adds_but_takes_nothing_back(postgres):
    def denied(role: str, statement: str) -> bool:
        try:
            with postgres.transaction(force_rollback=True):
                postgres.execute(f"SET LOCAL ROLE {role}")
                postgres.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
        return False

    writer, reader = ROLES
    for table in (*TABLES, *TWIN_TABLES):
        assert not denied(reader, f"SELECT * FROM {table.name}")
        assert denied(reader, f"INSERT INTO {table.name} SELECT * FROM {table.name} WHERE false")
        assert not denied(writer, f"INSERT INTO {table.name} SELECT * FROM {table.name} WHERE false")
        grows = table in (*CHAINED_TABLES, *TWIN_TABLES)
        assert denied(writer, f"UPDATE {table.name} SET {table.key[0]} = {table.key[0]}") == grows
    assert denied(writer, "DELETE FROM trade_log WHERE false")
    assert not denied(writer, "DELETE FROM lots WHERE false")
    assert denied(reader, "SELECT add_trade_log_month('2027-01-01')")
    assert not denied(writer, "SELECT add_trade_log_month('2027-01-01')")


@pytest.mark.parametrize(
    ("table", "number"),
    [(table, number) for table in TABLES for number in range(1, len(table.checks) + 1)],
    ids=named,
)
def test_postgres_refuses_a_row_that_contradicts_itself(postgres, table, number):
    broken = BREAKING_ROWS[table.name][number - 1]
    told = refusal(postgres, table, other(valid_row(table), table) | broken)
    assert told.constraint_name == f"{table.name}_check_{number}"


def test_a_cash_event_needs_no_instrument_and_no_price(postgres):
    row = valid_row(TRADE_LOG)
    empty = {column.name: None for column in TRADE_LOG.columns if column.null and column.name != "account_id"}
    insert(postgres, TRADE_LOG, other(row, TRADE_LOG) | empty | {"kind": "cash"})


def test_a_corporate_action_needs_no_account(postgres):
    insert(postgres, TRADE_LOG, other(valid_row(TRADE_LOG), TRADE_LOG) | {"kind": "split", "account_id": None})


def test_a_lot_belongs_to_an_open_position_but_a_match_may_outlive_it(postgres):
    row = other(valid_row(MATCHES), MATCHES) | {"position_id": "closed long ago"}
    insert(postgres, MATCHES, row)
    told = refusal(postgres, LOTS, other(valid_row(LOTS), LOTS) | {"position_id": "closed long ago"})
    assert told.constraint_name == "lots_position_id_fkey"


def test_postgres_tells_what_each_table_and_column_means(postgres):
    query = """
        SELECT relation.relname, attribute.attname, col_description(relation.oid, attribute.attnum)
        FROM pg_class relation JOIN pg_attribute attribute ON attribute.attrelid = relation.oid
        WHERE relation.relkind IN ('r', 'p') AND relation.relnamespace = 'public'::regnamespace
          AND NOT relation.relispartition AND attribute.attnum > 0"""
    every = [(table, column) for table in (*TABLES, *TWIN_TABLES) for column in table.columns]
    assert set(postgres.execute(query)) == {(t.name, c.name, c.comment) for t, c in every}
    query = """
        SELECT relname, obj_description(oid) FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace AND NOT relispartition"""
    assert set(postgres.execute(query)) == {(table.name, table.comment) for table in (*TABLES, *TWIN_TABLES)}


def test_postgres_has_every_index_under_its_full_name(postgres):
    found = {name for (name,) in postgres.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")}
    assert {f"{table.name}_{'_'.join(names)}_idx" for table in TABLES for names in table.indexes} <= found
    assert all(len(name.encode()) < 64 for name in re.findall(r"CONSTRAINT (\w+)", "".join(postgres_ddl())))


@pytest.mark.parametrize("table", [TRADE_LOG, LOTS], ids=named)
def test_postgres_holds_the_extremes_of_every_type(postgres, table):
    columns = table.columns
    names = ", ".join(column.name for column in columns)
    postgres.execute(f"CREATE TABLE bare AS SELECT {names} FROM {table.name} WITH NO DATA")
    frame = extreme_rows(table).select(column.name for column in columns)
    bare = Table("bare", "", tuple(columns), ())
    postgres.execute("SET TIME ZONE 'UTC'")
    for row in frame.iter_rows(named=True):
        insert(postgres, bare, row)
    selected = ", ".join(f"{c.name}::text" if c.type == "json" else c.name for c in columns)
    back = pl.DataFrame(postgres.execute(f"SELECT {selected} FROM bare").fetchall(), schema=bare.schema, orient="row")
    assert back.equals(frame)


def test_postgres_tables_go_into_the_schema_that_is_named(empty_postgres_url):
    with psycopg.connect(empty_postgres_url) as connection:
        for statement in postgres_ddl(schema='odd "name"'):
            connection.execute(statement.encode())
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'odd \"name\"'"
        assert {name for (name,) in connection.execute(query)} == {table.name for table in (*TABLES, *TWIN_TABLES)}
        connection.execute("""SELECT "odd ""name""\".add_trade_log_month('2026-01-16')""")
        for table in dependency_order(TABLES):
            named = sql.Identifier('odd "name"', table.name)
            insert(connection, table, valid_row(table), named)
        assert not connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()


def test_tables_that_refer_to_each_other_in_a_circle_are_refused():
    first = Table("first", "", (Column("id", "text", ""), Column("b", "text", "", references="second.id")), ("id",))
    second = Table("second", "", (Column("id", "text", ""), Column("a", "text", "", references="first.id")), ("id",))
    with pytest.raises(InvariantError, match="first, second"):
        dependency_order((first, second))


@pytest.fixture(scope="module")
def lake(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection to a DuckLake with all tables, on a SQLite catalog in WAL mode."""
    folder = tmp_path_factory.mktemp("lake")
    catalog = folder / "catalog.sqlite"
    with sqlite3.connect(catalog) as sqlite:
        assert sqlite.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    sqlite.close()
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("sqlite_scanner", "ducklake"):
        wheel = files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}"
        connection.execute(f"LOAD '{wheel / f'{name}.duckdb_extension'}'")
    connection.execute(f"ATTACH 'ducklake:sqlite:{catalog}' AS book (DATA_PATH '{folder / 'data'}')")
    connection.execute("USE book")
    for statement in ducklake_ddl():
        connection.execute(statement)
    yield connection
    connection.close()


@pytest.mark.parametrize("table", TABLES, ids=named)
def test_ducklake_holds_the_extremes_of_every_type(lake, table):
    frame = extreme_rows(table)
    lake.register("incoming", frame.to_arrow())
    lake.execute(f"INSERT INTO {table.name} SELECT * FROM incoming")
    inlined = lake.execute(f"FROM {table.name}").pl()
    assert sorted_rows(inlined).equals(sorted_rows(frame))
    lake.execute(f"CALL ducklake_flush_inlined_data('book', table_name => '{table.name}')")
    flushed = lake.execute(f"FROM {table.name}").pl()
    assert flushed.schema == table.schema
    assert sorted_rows(flushed).equals(sorted_rows(frame))


@pytest.mark.parametrize(("table", "column"), [(t, c) for t, c in COLUMNS if not c.null], ids=named)
def test_ducklake_refuses_null_where_none_may_be(lake, table, column):
    broken = extreme_rows(table).with_columns(pl.lit(None).cast(table.schema[column.name]).alias(column.name))
    lake.register("incoming", broken.to_arrow())
    with pytest.raises(duckdb.ConstraintException):
        lake.execute(f"INSERT INTO {table.name} SELECT * FROM incoming")


def test_ducklake_writes_the_log_by_year_and_month_of_its_trading_day(lake):
    query = """
        SELECT transform FROM __ducklake_metadata_book.ducklake_partition_column
        JOIN __ducklake_metadata_book.ducklake_table USING (table_id)
        WHERE table_name = 'trade_log' ORDER BY partition_key_index"""
    assert lake.execute(query).fetchall() == [("year",), ("month",)]


def sorted_rows(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort(frame.columns, nulls_last=True)
