"""What a page consists of: cards, blocks and tables, drawn as markup; whoever shows it says how a button is made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

import polars as pl

from tradelake.outputs.layouts import LAYOUTS, Shown
from tradelake.outputs.report.grid import grid, number, sign_class
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.table import cell_text
from tradelake.outputs.values import column_text
from tradelake.units import MONEY

ROWS_OF_A_PAGE = 25
NOTHING = "\N{EN DASH}"
OPENER = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"


class MakeButton(Protocol):
    """Whoever makes the buttons of a page, as markup."""

    def __call__(self, changes: dict[str, str], words: str, meaning: str, *, possible: bool = True) -> Html:
        """Return a button that says *words*, does what *meaning* says, and changes the address."""


@dataclass(frozen=True, slots=True)
class Card:
    """A number that is worth a card: its title, a line for each currency, and a note below."""

    title: str
    lines: tuple[Html, ...]
    note: str = ""

    def drawn(self) -> Html:
        """Return the card as markup."""
        lines = self.lines or (element("span", NOTHING, class_="none"),)
        values = (element("p", line, class_="value") for line in lines)
        return element(
            "section", element("h2", self.title), *values, element("p", self.note, class_="under"), class_="kpi"
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of a page. `opens` are the values that the button of each row gives to the parameter `key`."""

    name: str
    caption: str
    frame: pl.DataFrame
    layout: tuple[Shown, ...] | str
    foot: pl.DataFrame | None = None
    key: str = ""
    opens: tuple[str, ...] = ()
    total: int | None = None
    number: int = 1

    def drawn(self, button: MakeButton) -> Html:
        """Return the table as markup, with a button for each row, and others to turn its pages."""
        layout = LAYOUTS[self.layout] if isinstance(self.layout, str) else self.layout
        clear = {"open": {"event": ""}, "event": {}}.get(self.key, {})
        lead = [button({self.key: value, **clear}, OPENER, "Look into") for value in self.opens]
        table = grid(self.frame, layout, name=self.name, caption=self.caption, foot=self.foot, lead=lead, signed=True)
        return join([table, self._turning(button)])

    def _turning(self, button: MakeButton) -> Html:
        if self.total is None or self.total <= ROWS_OF_A_PAGE:
            return Html("")
        last = -(-self.total // ROWS_OF_A_PAGE)
        first_row = (self.number - 1) * ROWS_OF_A_PAGE + 1
        said = f"{first_row:,} to {first_row + self.frame.height - 1:,} of {self.total:,}"
        turns = (("First", 1), ("Back", self.number - 1), ("Next", self.number + 1), ("Last", last))
        buttons = [
            button(
                {"number": str(to)},
                word,
                f"{word} page of {self.caption}",
                possible=1 <= to <= last and to != self.number,
            )
            for word, to in turns
        ]
        return element("div", element("span", said, class_="range"), *buttons, class_="turning")


Part = Html | Rows


@dataclass(frozen=True, slots=True)
class Block:
    """A card with a heading; `closes` are parameters that its button makes empty."""

    title: str
    parts: tuple[Part, ...]
    count: str = ""
    anchor: str = ""
    closes: tuple[str, ...] = ()

    def drawn(self, button: MakeButton) -> Html:
        """Return the block as markup."""
        close = button(dict.fromkeys(self.closes, ""), "Close", f"Close {self.title}") if self.closes else ""
        count = element("span", self.count, class_="count") if self.count else ""
        heading = element("div", element("h2", self.title), count, close, class_="heading")
        parts = (part.drawn(button) if isinstance(part, Rows) else part for part in self.parts)
        return element("section", heading, element("div", *parts, class_="content"), class_="card", id=self.anchor)


@dataclass(frozen=True, slots=True)
class View:
    """A page: its title, a sentence below it, cards and blocks."""

    title: str
    note: str = ""
    cards: tuple[Card, ...] = ()
    blocks: tuple[Block, ...] = field(default=())

    def drawn(self, button: MakeButton) -> Html:
        """Return the page as markup."""
        cards = element("div", *(card.drawn() for card in self.cards), class_="kpis") if self.cards else ""
        note = element("p", self.note, class_="verdict") if self.note else ""
        head = element("header", element("h1", self.title), note)
        return element("main", head, cards, *(block.drawn(button) for block in self.blocks))


def money_lines(sums: pl.DataFrame, name: str, *, profit: bool) -> tuple[Html, ...]:
    """Return an amount of each currency of *sums*, exactly; a profit has its sign and its colour."""
    lines = []
    for text, currency in zip(column_text(sums.get_column(name)), sums.get_column("currency"), strict=True):
        unit = element("span", currency, class_="unit")
        if text is None:
            lines.append(join([element("span", "not known", class_="none"), unit]))
            continue
        shown = cell_text(text, "money")
        sign = sign_class(shown)
        plus = "+" if profit and sign == "pos" else ""
        colour = sign if profit or sign == "neg" else ""
        lines.append(join([element("span", plus, number(shown), class_=colour), unit]))
    return tuple(lines)


def count_line(count: int) -> tuple[Html, ...]:
    """Return a count as the line of a card."""
    return (Html(f"{count:,}"),)


def nothing(sentence: str, *, good: bool = False) -> Html:
    """Return what stands where there is nothing to show."""
    return element("p", sentence, class_="nothing good" if good else "nothing")


def amount_texts(amounts: Sequence[Decimal | None], *, profit: bool = False) -> list[Html]:
    """Return amounts as text with sign and colour, aligned at their points; a dash for none."""
    column = column_text(pl.Series(list(amounts), dtype=MONEY))
    texts = [None if text is None else cell_text(text, "money") for text in column]
    width = max((len(text.partition(".")[2]) - 2 for text in texts if text), default=0)
    return [_amount(text, profit=profit, width=width) for text in texts]


def _amount(text: str | None, *, profit: bool, width: int) -> Html:
    if text is None:
        return element("span", number(NOTHING, fine_width=width), class_="none")
    sign = sign_class(text)
    plus = "+" if profit and sign == "pos" else ""
    return element("span", plus, number(text, fine_width=width), class_=sign if profit else "")


def turned(frame: pl.DataFrame, number_asked: int) -> tuple[pl.DataFrame, int]:
    """Return the rows of one page of *frame*, and its number: the last one where there are fewer."""
    number_there = page_there(frame.height, number_asked)
    return frame.slice((number_there - 1) * ROWS_OF_A_PAGE, ROWS_OF_A_PAGE), number_there


def page_there(total: int, number_asked: int) -> int:
    """Return the number of the page that is shown of *total* rows: the one asked for, or the last one."""
    return min(number_asked, max(1, -(-total // ROWS_OF_A_PAGE)))


def ids(frame: pl.DataFrame, name: str) -> tuple[str, ...]:
    """Return a column of ids as text."""
    values: Sequence[object] = frame.get_column(name).to_list()
    return tuple(str(value) for value in values)
