"""The tables as DDL for PostgreSQL, with everything that it can enforce: the twin of a book.

Problem. The log is partitioned by month of its trading day, and lots, matches and positions refer to its events by
`sequence`. PostgreSQL has no unique key over a partitioned table that leaves out the partition column, so nothing could
refer to `sequence`, and an id could come twice in two months.

Decision. `trade_log_keys` has the keys of the log in one plain table: `sequence`, the ids of the event and its natural
key, each unique over all months. A trigger of the log keeps it, whoever inserts; its rows refer to those of the log and
go with them. What refers to an event refers to its key.

The statements come in parts, so that a whole book can be loaded between the first and the second, as a dump is: tables
with types, NOT NULL and checks; then, table by table, keys, indexes, references; then trigger and comments; then roles.
Partitions are made by a function, which a writer may call who may not create tables.
"""

from tradelake.errors import InvariantError
from tradelake.tables.columns import POSTGRES_TYPES, Column, Table
from tradelake.tables.ddl import create_table, script
from tradelake.tables.groups import BY_NAME, CHAINED_TABLES, TABLES
from tradelake.tables.order import dependency_order
from tradelake.tables.told import TRADE_LOG

ROLES = ("tradelake_writer", "tradelake_reader")
DAY = "trade_date"
TRADE_LOG_KEYS = Table(
    "trade_log_keys",
    "The keys of trade_log, unique over all of its months; kept by a trigger of trade_log",
    (
        Column("sequence", "integer", "position in the log"),
        Column(DAY, "date", "trading day, which says in what month the event is"),
        Column("trade_id", "text", "as in the log"),
        Column("leg_id", "text", "as in the log"),
        Column("natural_key", "text", "as in the log", unique=True),
    ),
    key=("sequence",),
    unique=(("trade_id", "leg_id"),),
)
TWIN_EXPORTS = Table(
    "twin_exports",
    "The exports that made this twin of a book: the newest says where it stands",
    (
        Column("export_id", "integer", "exports, from 1"),
        Column("book_id", "text", "id of the book"),
        Column("format_version", "integer", "format of the book"),
        Column("version", "integer", "commit of the book's catalog that was exported"),
        Column("sequence", "integer", "head of the log then"),
        Column("import_run_id", "integer", "last commit of the log then"),
        Column("exported_at", "instant", "when it was exported"),
    ),
    key=("export_id",),
)
# What is in a twin and not in a book.
TWIN_TABLES = (TRADE_LOG_KEYS, TWIN_EXPORTS)
# Whose rows only grow: a writer adds to them, and takes nothing back.
GROWING = (*CHAINED_TABLES, *TWIN_TABLES)


def postgres_ddl(*, schema: str = "") -> list[str]:
    """Return the statements, without semicolons, that create every table in PostgreSQL with all that belongs to it.

    With *schema* every name is qualified by it, and it is created where it does not exist; otherwise the tables go
    where the search path points.
    """
    bound = [statement for table in _all() for statement in postgres_bound(table, schema)]
    return [*postgres_tables(schema=schema), *bound, *postgres_closing(schema=schema), *postgres_roles(schema=schema)]


def postgres_tables(*, schema: str = "") -> list[str]:
    """Return the statements that create the tables, with types, NOT NULL and checks, and the function for months."""
    statements = [f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}"] if schema else []
    for table in _all():
        columns = [f"{c.name} {POSTGRES_TYPES[c.type]}{'' if c.null else ' NOT NULL'}" for c in table.columns]
        created = create_table(postgres_name(table, schema), columns + _checks(table))
        statements.append(f"{created} PARTITION BY RANGE ({DAY})" if table is TRADE_LOG else created)
    return [*statements, _month_function(schema)]


def postgres_bound(table: Table, schema: str = "") -> list[str]:
    """Return the statements that bind one table: its keys, indexes, references; what it refers to is bound before."""
    change = f"ALTER TABLE {postgres_name(table, schema)} ADD"
    return [
        *(f"{change} {key}" for key in _keys(table)),
        *(_index(table, names, schema) for names in table.indexes),
        *(f"{change} {reference}" for reference in _references(table, schema)),
    ]


def postgres_closing(*, schema: str = "") -> list[str]:
    """Return the statements that come when all tables are bound: the trigger that keeps keys, and the comments."""
    statements = _keeping(schema)
    for table in _all():
        name = postgres_name(table, schema)
        statements.append(f"COMMENT ON TABLE {name} IS {_literal(table.comment)}")
        statements += [f"COMMENT ON COLUMN {name}.{c.name} IS {_literal(c.comment)}" for c in table.columns]
    return statements


def postgres_roles(*, schema: str = "") -> list[str]:
    """Return the statements that make the roles, where the user may, and give those that exist their rights.

    A reader reads. A writer adds rows to what only grows, makes months of the log, and replaces what follows from it.
    """
    made = [
        f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION "
        "WHEN duplicate_object OR unique_violation THEN NULL; "
        f"WHEN insufficient_privilege THEN RAISE NOTICE 'the role {role} has to be created by an administrator'; "
        "END $$"
        for role in ROLES
    ]
    names = {table: postgres_name(table, schema) for table in _all()}
    replaced = ", ".join(name for table, name in names.items() if table not in GROWING)
    growing = ", ".join(name for table, name in names.items() if table in GROWING)
    usage = (
        f"EXECUTE format('GRANT USAGE ON SCHEMA %I TO {{role}}', {_literal(schema) if schema else 'current_schema()'})"
    )
    rights = {
        "tradelake_reader": [f"GRANT SELECT ON {growing}, {replaced} TO tradelake_reader"],
        "tradelake_writer": [
            f"GRANT SELECT, INSERT ON {growing} TO tradelake_writer",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {replaced} TO tradelake_writer",
            f"GRANT EXECUTE ON FUNCTION {_prefix(schema)}add_trade_log_month(date) TO tradelake_writer",
        ],
    }
    return (
        [f"REVOKE ALL ON FUNCTION {_prefix(schema)}add_trade_log_month(date) FROM PUBLIC"]
        + made
        + [
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN\n    "
            + ";\n    ".join([usage.format(role=role), *rights[role]])
            + ";\nEND IF; END $$"
            for role in ROLES
        ]
    )


def postgres_script() -> str:
    """Return the text of `schemas/postgres.sql`."""
    return script(postgres_ddl(), title="tradelake: the tables of a book, for PostgreSQL")


def postgres_name(table: Table, schema: str = "") -> str:
    """Return the name of a table as SQL writes it."""
    return f"{_prefix(schema)}{table.name}"


def _all() -> list[Table]:
    ordered = dependency_order(TABLES)
    after = ordered.index(TRADE_LOG) + 1
    return [*ordered[:after], TRADE_LOG_KEYS, *ordered[after:], TWIN_EXPORTS]


def _checks(table: Table) -> list[str]:
    ruled = [(column, rules) for column in table.columns if (rules := _column_rules(column))]
    return [
        *(f"CONSTRAINT {table.name}_{column.name}_check CHECK ({' AND '.join(rules)})" for column, rules in ruled),
        *(f"CONSTRAINT {table.name}_check_{n} CHECK ({check})" for n, check in enumerate(table.checks, start=1)),
    ]


def _keys(table: Table) -> list[str]:
    if table is TRADE_LOG:
        return [f"CONSTRAINT {table.name}_pkey PRIMARY KEY (sequence, {DAY})"]
    unique = [(column.name,) for column in table.columns if column.unique] + list(table.unique)
    return [
        f"CONSTRAINT {table.name}_pkey PRIMARY KEY ({', '.join(table.key)})",
        *(f"CONSTRAINT {table.name}_{'_'.join(names)}_key UNIQUE ({', '.join(names)})" for names in unique),
    ]


def _references(table: Table, schema: str) -> list[str]:
    if table is TRADE_LOG_KEYS:
        referred = f"{postgres_name(TRADE_LOG, schema)} (sequence, {DAY})"
        own = f"CONSTRAINT {table.name}_sequence_fkey FOREIGN KEY (sequence, {DAY})"
        return [f"{own} REFERENCES {referred} ON DELETE CASCADE"]
    return [_foreign_key(table, column, schema) for column in table.columns if column.references]


def _index(table: Table, names: tuple[str, ...], schema: str) -> str:
    columns = ", ".join(names)
    # Most ids are missing in most rows.
    single = next((c for c in table.columns if (c.name,) == names and c.null), None)
    given = f" WHERE {single.name} IS NOT NULL" if single else ""
    name = f"{table.name}_{'_'.join(names)}_idx"
    return f"CREATE INDEX {name} ON {postgres_name(table, schema)} ({columns}){given}"


def _foreign_key(table: Table, column: Column, schema: str) -> str:
    target, _, key = column.references.partition(".")
    if target not in BY_NAME or BY_NAME[target].key != (key,):
        raise InvariantError(f"{table.name}.{column.name} refers to {column.references}, which is no key")
    referred = TRADE_LOG_KEYS if target == TRADE_LOG.name else BY_NAME[target]
    return (
        f"CONSTRAINT {table.name}_{column.name}_fkey FOREIGN KEY ({column.name}) "
        f"REFERENCES {postgres_name(referred, schema)} ({key})"
    )


def _column_rules(column: Column) -> list[str]:
    rules = [column.check] if column.check else []
    if column.values:
        rules.append(f"{column.name} IN ({', '.join(_literal(value) for value in column.values)})")
    return rules


def _month_function(schema: str) -> str:
    """Return the statement that makes the function for months: it acts as the owner of the tables."""
    home = _literal(schema) if schema else "current_schema()"
    return f"""CREATE FUNCTION {_prefix(schema)}add_trade_log_month(day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER {_path(schema)} AS $$
DECLARE
    first timestamp := date_trunc('month', day::timestamp);
    part text := {TRADE_LOG.name!r} || to_char(first, '"_"YYYY"_"MM');
BEGIN
    IF to_regclass(format('%I.%I', {home}, part)) IS NULL THEN
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.{TRADE_LOG.name} FOR VALUES FROM (%L) TO (%L)',
            {home}, part, {home}, first::date, (first + interval '1 month')::date);
    END IF;
END $$"""


def _keeping(schema: str) -> list[str]:
    """Return the statements that let the log keep its keys; rows that are there have their keys already."""
    names = ", ".join(TRADE_LOG_KEYS.names)
    function = f"{_prefix(schema)}keep_trade_log_keys()"
    return [
        (
            f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql {_path(schema)} AS $$\nBEGIN\n"
            f"    INSERT INTO {TRADE_LOG_KEYS.name} ({names}) SELECT {names} FROM added;\n    RETURN NULL;\nEND $$"
        ),
        (
            f"CREATE TRIGGER keep_trade_log_keys AFTER INSERT ON {postgres_name(TRADE_LOG, schema)} "
            f"REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {function}"
        ),
    ]


def _path(schema: str) -> str:
    return f"SET search_path = {_quoted(schema)}, pg_temp" if schema else "SET search_path FROM CURRENT"


def _prefix(schema: str) -> str:
    return f"{_quoted(schema)}." if schema else ""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
