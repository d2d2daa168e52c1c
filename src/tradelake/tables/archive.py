"""What of the log is in cold storage: files with their manifests, what they add up to, and the keys of their rows.

`archives` is what we know: a row for every file and step of its life. The other two follow from the archived rows:
they let a fold know how late a family's events go, and recording recognise a second delivery, without reading a file.
"""

from tradelake.tables.columns import OPTION_KINDS, TRADE_KINDS, Column, Table
from tradelake.tables.nights import COMMIT

# Events of these kinds concern one account and one symbol, and nothing else refers to them.
ARCHIVED_KINDS = (*TRADE_KINDS, *OPTION_KINDS, "cash")
ARCHIVE_STEPS = ("archived", "restored", "deleted")

ARCHIVES = Table(
    "archives",
    "The life of every file in cold storage, one row per step; the newest step counts",
    (
        Column("archive_id", "text", "the archived part: its month and the start of the SHA-256 of its rows"),
        Column("table_name", "text", "table whose rows the file has"),
        Column("step", "text", "what happened", values=ARCHIVE_STEPS),
        Column("month", "date", "first day of the month of the rows"),
        Column("url", "text", "folder in the object store, without credentials"),
        Column("object", "text", "name of the file under the folder"),
        Column("file_sha256", "text", "SHA-256 of the file"),
        Column("bytes", "integer", "size of the file", check="bytes > 0"),
        Column("rows", "integer", "rows of the file", check="rows > 0"),
        Column("first_key", "integer", "lowest sequence or source record of the file"),
        Column("last_key", "integer", "highest one"),
        Column("last_known_at", "instant", "latest knowledge time of its rows"),
        Column("manifest", "text", "name of the manifest under the folder"),
        Column("manifest_sha256", "text", "SHA-256 of the manifest"),
        *COMMIT,
    ),
    key=("archive_id", "table_name", "import_run_id"),
    sort=("import_run_id", "archive_id", "table_name"),
)

ARCHIVE_TOTALS = Table(
    "archive_totals",
    "What the archived events of a month add up to, per account, symbol and currency",
    (
        Column("archive_id", "text", "the archived part"),
        Column("month", "date", "first day of the month"),
        Column("account_id", "text", "book"),
        Column("symbol", "text", "underlying or stock; empty for none"),
        Column("currency", "text", "currency of the amounts"),
        Column("rows", "integer", "events"),
        Column("quantity", "quantity", "shares and contracts, signed by their side"),
        Column("cash", "money", "cash into the account (+) or out of it (-)"),
        Column("commission", "money", "commissions, positive when paid"),
        Column("fees", "money", "fees, positive when paid"),
        Column("realized_pnl", "money", "profit of the matches that these events closed"),
        Column("first_at", "instant", "earliest effective time"),
        Column("latest_at", "instant", "latest effective time"),
    ),
    key=("archive_id", "account_id", "symbol", "currency"),
    sort=("account_id", "symbol", "month", "archive_id", "currency"),
)

ARCHIVED_KEYS = Table(
    "archived_keys",
    "How a second delivery of an archived event is recognised",
    (
        Column("sequence", "integer", "position of the event in the log"),
        Column("archive_id", "text", "the archived part that has it"),
        Column("execution_digest", "integer", "as in the log"),
        Column("trade_digest", "integer", "as in the log"),
        Column("execution_key", "integer", "64 bits of the SHA-256 of what is one execution"),
        Column("trade_key", "integer", "64 bits of the SHA-256 of trade id and leg"),
    ),
    key=("sequence",),
    sort=("sequence",),
)
