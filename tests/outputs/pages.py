"""A report's page as a reader of it sees it: its elements, its texts and the numbers in its tables."""

import json
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "br", "hr"}
# the columns of the page's tables that are numbers of the JSON, by their headings
NUMBERS: dict[str, dict[str, str]] = {
    "accounts": {
        "net liquidation": "net_liquidation",
        "P&L today": "pnl_today",
        "realized today": "realized_today",
        "unrealized": "unrealized_pnl",
        "cash": "cash",
        "market value": "market_value",
        "pos": "positions",
    },
    "exposure": {"long": "long_value", "short": "short_value", "unrealized": "unrealized_pnl", "pos": "positions"},
    "movers": {
        "quantity": "quantity",
        "change": "unrealized_change",
        "unrealized": "unrealized_pnl",
        "market value": "market_value",
        "mark": "mark_price",
    },
    "breaks": {"ours": "ours", "theirs": "theirs", "age": "age"},
    "proposals": {"amount": "amount"},
    "unmarked": {"quantity": "quantity", "cost basis": "cost_basis"},
    "buffers": {"cash": "cash", "required": "required", "surplus": "surplus"},
    "expiring": {
        "quantity": "quantity",
        "sessions left": "sessions_left",
        "underlying": "underlying_price",
        "unrealized": "unrealized_pnl",
    },
    "imports": {name: name for name in ("accepted", "duplicates", "conflicts", "rejects", "kept", "marks")},
}
Table = list[dict[str, str]]


class Page(HTMLParser):
    """A page that was read: `tags` in order, all `texts`, the `attributes`, and the rows of its `tables` by name.

    A row is a mapping of headings to texts; the rows of a table's foot follow those of its body.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: dict[str, Table] = {}
        self.open: list[str] = []
        self._name = ""
        self._heads: list[str] = []
        self._cells: list[str] | None = None
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._name = dict(attrs)["data-table"] or ""
            self.tables[self._name] = []
            self._heads = []
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            assert self._cells is not None
            self._cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag
        if tag == "tr":
            assert self._cells is not None
            if not self._heads:
                self._heads = self._cells
            else:
                self.tables[self._name].append(dict(zip(self._heads, self._cells, strict=True)))
            self._cells = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._cells:
            self._cells[-1] += data


def amount(text: str) -> Decimal | None:
    """Return the number that a cell shows, null for the sign of nothing."""
    return None if text == "·" else Decimal(text.replace(",", ""))


def assert_tables_equal_json(tables: dict[str, Table], content: str) -> None:
    """Check that every number of the JSON that the page has a column for stands there, to its last digit."""
    report: dict[str, Any] = json.loads(content, parse_float=refuse)
    for name, columns in NUMBERS.items():
        rows = report[name]
        if name == "accounts":
            rows = rows + [row for row in report["totals"] if row["accounts"] > 1]
        shown = tables.get(name, [])
        assert len(shown) == len(rows), name
        for heading, field in columns.items():
            if shown and heading in shown[0]:
                told = [None if row[field] is None else Decimal(row[field]) for row in rows]
                assert [amount(row[heading]) for row in shown] == told, f"{name}: {heading}"
    for row in tables.get("chart-equity", []):
        day = {e["account_id"]: e["net_liquidation"] for e in report["equity"] if e["snapshot_date"] == row["session"]}
        drawn = {account: amount(text) for account, text in row.items() if account != "session"}
        assert drawn == {account: None if day[account] is None else Decimal(day[account]) for account in drawn}


def refuse(text: str) -> float:
    """Refuse a number with decimals in JSON: it would be a float."""
    raise AssertionError(f"a float in the JSON: {text}")
