"""What follows from the log, as a checkpoint at a log sequence, and the rows that say where both stand."""

from tradelake.tables.columns import FLOW_CATEGORIES, HOWS, STATUSES, Column, Table
from tradelake.tables.reference import TERMS

POSITION_COLUMNS = (
    Column("position_id", "text", "account, instrument and the sequence of the event that opened it"),
    Column("account_id", "text", "book that holds it", references="accounts.account_id"),
    Column("instrument_id", "text", "what is held", references="instruments.instrument_id"),
    *TERMS,
    Column("currency", "text", "currency of all amounts of the row"),
    Column("multiplier", "quantity", "units per contract"),
)

POSITIONS = Table(
    "positions",
    "Open positions: one row per account and instrument that is not flat",
    (
        *POSITION_COLUMNS,
        Column("quantity", "quantity", "signed units held", check="quantity <> 0"),
        Column("average_price", "money", "cost_basis / (quantity x multiplier), for display"),
        Column("average_price_ex_fees", "money", "the same without the charges inside the basis, for display"),
        Column("cost_basis", "money", "what was paid for it, negative for a short"),
        Column("charges", "money", "charges inside the basis"),
        Column("premium", "money", "premium of exercised options inside the basis"),
        Column("opened_at", "instant", "when it was last flat"),
        Column("open_date", "date", "trading day of opened_at"),
        Column("closed_at", "instant", "null while open", null=True),
        Column("status", "text", "OPEN here, CLOSED in position_history", values=STATUSES),
        Column("realized_pnl", "money", "realized since it was opened"),
        Column("realized_premium", "money", "what the economic view adds to realized_pnl"),
        Column("unrealized_pnl", "money", "null without a mark", null=True),
        Column("open_trade_id", "text", "event that opened it"),
        Column("open_sequence", "integer", "log sequence of that event", references="trade_log.sequence"),
    ),
    key=("position_id",),
    sort=("account_id", "symbol", "instrument_id"),
    indexes=(("account_id", "symbol"), ("symbol",)),
)

POSITION_HISTORY = Table(
    "position_history",
    "Closed positions, each from flat to flat",
    (
        *POSITION_COLUMNS,
        Column("quantity_closed", "quantity", "units closed over its life"),
        Column("side", "text", "LONG or SHORT", values=("LONG", "SHORT")),
        Column("opened_at", "instant", "when it was last flat"),
        Column("open_date", "date", "trading day of opened_at"),
        Column("closed_at", "instant", "when it was flat again"),
        Column("close_date", "date", "trading day of closed_at"),
        Column("status", "text", "CLOSED", values=STATUSES),
        Column("proceeds", "money", "what its closings brought, net of charges"),
        Column("cost", "money", "what its openings cost, with charges"),
        Column("realized_pnl", "money", "proceeds - cost"),
        Column("realized_premium", "money", "what the economic view adds to realized_pnl"),
        Column("open_trade_id", "text", "event that opened it"),
        Column("open_sequence", "integer", "log sequence of that event", references="trade_log.sequence"),
        Column("close_trade_id", "text", "event that made it flat"),
        Column("close_sequence", "integer", "log sequence of that event", references="trade_log.sequence"),
    ),
    key=("position_id",),
    sort=("account_id", "symbol", "instrument_id", "closed_at"),
    indexes=(("account_id", "symbol", "closed_at"), ("symbol", "closed_at")),
)

LOTS = Table(
    "lots",
    "Open lots: what one event opened and is still open",
    (
        Column("lot_id", "text", "account, instrument, opening event and rank"),
        Column("position_id", "text", "its position", references="positions.position_id"),
        *POSITION_COLUMNS[1:],
        Column("open_trade_id", "text", "event that opened it; * for an average-cost pool"),
        Column(
            "open_sequence",
            "integer",
            "log sequence of the opening event (of a pool: its oldest)",
            references="trade_log.sequence",
        ),
        Column("opened_at", "instant", "open time, decides the order of lots"),
        Column("open_date", "date", "trading day of the opening, decides the holding period"),
        Column("quantity", "quantity", "signed units", check="quantity <> 0"),
        Column("cost_basis", "money", "what was paid for it, negative for a short"),
        Column("charges", "money", "charges inside the basis"),
        Column("premium", "money", "premium of exercised options inside the basis"),
        Column("open_phase", "integer", "phase of the opening event within its instant"),
        Column("lot_rank", "integer", "order among the lots that one event opened"),
    ),
    key=("lot_id",),
    sort=("account_id", "symbol", "instrument_id", "opened_at", "open_phase", "open_sequence", "lot_rank"),
    indexes=(("account_id", "symbol"), ("position_id",)),
)

MATCHES = Table(
    "matches",
    "Lot closures: one slice of an opening event against a closing event",
    (
        Column("match_id", "text", "closing event, instrument and rank"),
        Column("position_id", "text", "position, open or closed, that it belongs to"),
        *POSITION_COLUMNS[1:],
        Column("open_trade_id", "text", "event that opened the lot; * for an average-cost pool"),
        Column("open_sequence", "integer", "log sequence of the opening event", references="trade_log.sequence"),
        Column("close_trade_id", "text", "event that closed it"),
        Column("close_sequence", "integer", "log sequence of the closing event", references="trade_log.sequence"),
        Column("opened_at", "instant", "when the lot was opened"),
        Column("open_date", "date", "trading day of opened_at"),
        Column("closed_at", "instant", "when the lot was closed"),
        Column("close_date", "date", "trading day of closed_at"),
        Column("side", "text", "LONG: bought then sold; SHORT: sold then bought", values=("LONG", "SHORT")),
        Column("quantity", "quantity", "units closed, positive", check="quantity > 0"),
        Column("proceeds", "money", "what the sale brought, net of charges"),
        Column("cost", "money", "what the purchase cost, with charges"),
        Column("realized_pnl", "money", "proceeds - cost"),
        Column("premium", "money", "what the economic view adds to realized_pnl"),
        Column("how", "text", "what closed it", values=HOWS),
        Column("term", "text", "holding period for tax", values=("ST", "LT")),
        Column("match_rank", "integer", "order among the matches of one closing event"),
        Column("left_basis", "money", "basis that left the lot, signed as there; 0 where its units stay open"),
        Column("left_charges", "money", "charges inside that basis"),
        Column("left_premium", "money", "premium of exercised options inside that basis"),
    ),
    key=("match_id",),
    sort=("account_id", "symbol", "instrument_id", "closed_at", "close_sequence", "match_rank"),
    indexes=(("account_id", "symbol", "closed_at"), ("close_date",)),
)

CASH_FLOWS = Table(
    "cash_flows",
    "Cash of events whose amount follows from the lots: option events, dividends, corporate actions, transfers",
    (
        Column("sequence", "integer", "event that moved it", references="trade_log.sequence"),
        Column("account_id", "text", "book whose cash moved", references="accounts.account_id"),
        Column("symbol", "text", "underlying, or the stock itself; empty for a transfer of cash"),
        Column("instrument_id", "text", "instrument of the event", null=True),
        Column("category", "text", "what kind of cash it is", values=FLOW_CATEGORIES),
        Column("currency", "text", "currency of the amount"),
        Column("effective_at", "instant", "when it moved; a dividend moves when it is paid"),
        Column("trade_date", "date", "trading day it belongs to"),
        Column("amount", "money", "into the account (+) or out of it (-)"),
    ),
    key=("sequence", "account_id"),
    sort=("account_id", "symbol", "effective_at", "sequence"),
)

REFUSALS = Table(
    "refusals",
    "Events of the log that have no effect, because the position at their time does not allow them",
    (
        Column("sequence", "integer", "refused event", references="trade_log.sequence"),
        Column("trade_id", "text", "its id"),
        Column("account_id", "text", "its account", references="accounts.account_id"),
        Column("symbol", "text", "underlying, or the stock itself; empty where there is none"),
        Column("code", "text", "reason, for programs"),
        Column("message", "text", "reason, and what to do"),
    ),
    key=("sequence", "account_id"),
    sort=("account_id", "symbol", "sequence"),
)

HEAD = Table(
    "head",
    "One row: where the log stands; every writer updates it, so that two writers conflict",
    (
        Column("sequence", "integer", "last log sequence"),
        Column("source_record_id", "integer", "last source record"),
        Column("import_run_id", "integer", "last commit"),
        Column("recorded_at", "instant", "knowledge time of the last commit"),
        Column("chain_hash", "text", "last link of the hash chain"),
        Column("archive_run_id", "integer", "last commit that archived or restored anything; 0: none"),
    ),
    key=("sequence",),
)

CHECKPOINT = Table(
    "checkpoint",
    "One row: the log sequence at which the derived tables stand",
    (
        Column("sequence", "integer", "derived tables cover the log up to here"),
        Column("latest_at", "instant", "latest effective time among those events"),
    ),
    key=("sequence",),
)

FILE_DIGESTS = Table(
    "file_digests",
    "Digests of the data files, noted when they were written, so that a byte that is never read is found as well",
    (
        Column("file_name", "text", "path of the file inside the folder of its table"),
        Column("table_name", "text", "table that it holds rows of"),
        Column("file_sha256", "text", "SHA-256 of the file"),
        Column(
            "catalog_sha256", "text", "SHA-256 of what the catalog says of it: counts, sizes, statistics, partition"
        ),
    ),
    key=("file_name",),
)

MIGRATIONS = Table(
    "migrations",
    "The formats that a book has had: with which it was made, and who brought it to the later ones",
    (
        Column("format_version", "integer", "format that the book has had since"),
        Column("from_version", "integer", "format before; null: the book was made with this one", null=True),
        Column("applied_at", "instant", "when"),
        Column("author", "text", "user who did it"),
        Column("host", "text", "machine on which"),
    ),
    key=("format_version",),
    sort=("format_version",),
)

BOOK_SETTINGS = Table(
    "book_settings",
    "What a book knows of itself: its format and when it was made",
    (
        Column("name", "text", "name of the setting"),
        Column("value", "text", "its value"),
    ),
    key=("name",),
)
