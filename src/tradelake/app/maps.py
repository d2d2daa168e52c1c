"""Small drawings of markup alone: the tree of accounts, the months of the archive, the life of a break, the nights."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tradelake.app.views import NOTHING, amount_texts
from tradelake.outputs.report.markup import Html, element

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NONE = (element("span", NOTHING, class_="num none"),)
STATES = {"hot": "in the book", "cold": "in cold storage", "both": "in both", "empty": "no events"}
SIGNS = {"done": "✓", "problems": "!", "failed": "✕"}


def account_tree(accounts: pl.DataFrame, profits: pl.DataFrame, closes: pl.DataFrame) -> Html:
    """Return the accounts as a tree, each below the account that it was forked from, with its amounts."""
    parents = dict(accounts.select("account_id", "parent_account_id").iter_rows())
    kinds = dict(accounts.select("account_id", "account_type").iter_rows())
    realized = _by_account(profits, "realized_pnl", profit=True)
    worth = _by_account(closes, "net_liquidation", profit=False)
    children: dict[str | None, list[str]] = {}
    for name, parent in parents.items():
        children.setdefault(parent if parent in parents else None, []).append(name)

    def branch(name: str) -> Html:
        below = [branch(child) for child in children.get(name, ())]
        amounts = [_amounts("realized", realized.get(name, ())),
                   _amounts("net liquidation", worth.get(name, ()))]  # fmt: skip
        kind = element("span", kinds[name] or "", class_="note")
        line = element("div", element("span", element("b", name), kind, class_="who"), *amounts, class_="leaf")
        return element("li", line, element("ul", *below) if below else "")

    return element("ul", *(branch(name) for name in children.get(None, ())), class_="tree")


def month_map(months: pl.DataFrame) -> Html:
    """Return a row per year and a square per month: hot, cold or both, said by colour, by a letter and by words."""
    known = {(row["month"].year, row["month"].month): row for row in months.iter_rows(named=True)}
    years = range(min(known)[0], max(known)[0] + 1)
    heads = element("div", element("span"), *(element("span", name) for name in MONTHS), class_="months head")
    rows = [
        element(
            "div",
            element("b", str(year)),
            *(_month(year, number, known.get((year, number))) for number in range(1, 13)),
            class_="months",
        )
        for year in years
    ]
    key = (
        element("li", element("span", _letter(state), class_=f"square {state}", aria_hidden="true"), words)
        for state, words in STATES.items()
    )
    return element("div", heads, *rows, element("ul", *key, class_="key"), class_="map")


def life_of(steps: pl.DataFrame) -> Html:
    """Return the steps of a break on a line, oldest first."""
    items = [
        element(
            "li",
            element("b", row["action"]),
            element("span", f"{row['as_of']}", class_="note"),
            element("span", f"{row['status'].lower()}, by {row['author']}", class_="note"),
            class_=row["status"].lower(),
        )
        for row in steps.iter_rows(named=True)
    ]
    return element("ol", *items, class_="life")


def night_strip(nights: pl.DataFrame) -> Html:
    """Return a square per night, oldest first: all clear, needs a look or failed, by colour and by a sign."""
    states = nights["report"].str.json_path_match("$.standing")
    squares = [
        element("span", SIGNS[state or "failed"], class_=f"night {state}", title=f"{day}: {state}")
        for day, state in zip(nights["nightly_date"], states, strict=True)
    ]
    return element("div", *squares, class_="strip", role="img", aria_label=f"{len(squares)} nights")


def _month(year: int, number: int, row: Mapping[str, Any] | None) -> Html:
    hot, cold = (row["hot"], row["cold"]) if row else (0, 0)
    state = "both" if hot and cold else "hot" if hot else "cold" if cold else "empty"
    said = f"{year}-{number:02d}: {hot:,} hot and {cold:,} cold events"
    return element("span", _letter(state), class_=f"square {state}", title=said, role="img", aria_label=said)


def _letter(state: str) -> str:
    return {"hot": "h", "cold": "c", "both": "hc", "empty": ""}[state]


def _amounts(words: str, amounts: Sequence[Html]) -> Html:
    return element("span", element("span", words, class_="note"), *(amounts or NONE), class_="amounts")


def _by_account(frame: pl.DataFrame, name: str, *, profit: bool) -> dict[str, list[Html]]:
    """Return the amounts of each account, one of each currency."""
    found: dict[str, list[Html]] = {}
    texts = amount_texts(frame.get_column(name).to_list(), profit=profit)
    for account, currency, text in zip(frame["account_id"], frame["currency"], texts, strict=True):
        unit = element("span", f" {currency}", class_="unit")
        found.setdefault(account, []).append(element("span", text, unit, class_="num"))
    return found
