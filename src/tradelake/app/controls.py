"""The page as marimo shows it: buttons, filters and the slider, all of which do no more than change the address."""

from collections.abc import Callable, MutableMapping
from datetime import date
from typing import Any

from tradelake.app.asked import DRILLED, FILTERS, PAGES, Asked, choices
from tradelake.app.door import Door
from tradelake.app.look import style
from tradelake.app.pages import Shown, shown
from tradelake.outputs.report.markup import Html, element

EVERY = "all"
NOW = "now"
WORDS = {"by": "Group by", "order": "Order", "status": "Status"}
LABEL_LENGTH_MAX = 72
Parameters = MutableMapping[str, Any]


class Screen:
    """One screen of the app. What it makes of marimo's elements has to be kept as long as it is shown."""

    def __init__(self, marimo: Any, parameters: Any, refresh: Any, again: Callable[[object], None]) -> None:
        self.marimo = marimo
        self.parameters = parameters
        self.refresh = refresh
        self.again = again
        self.elements: list[Any] = []
        self.kind = "neutral"

    def html(self, door: Door) -> Any:
        """Return the whole page for what the address asks."""
        asked = Asked.of({name: self.parameters.get_all(name) for name in self.parameters})
        page = shown(door, asked)
        head = (
            element("span", "tradelake", class_="brand"),
            element("span", page.standing, class_="where"),
            element(
                "span", "Refresh ", element("span", Html(self.refresh.text), class_="press neutral"), class_="refresh"
            ),
        )
        parts = (
            element("style", Html(style())),
            element("div", *head, class_="top"),
            element("nav", *self._pages(asked), aria_label="Pages"),
            self._filters(page),
            page.view.drawn(self.button),
        )
        drawn = element("div", *parts, class_="tradelake", data_page=asked.page)
        # marimo sends exact text only, no kind of text of its own.
        return self.marimo.Html(str(drawn))

    def button(self, changes: dict[str, str], words: str, meaning: str, *, possible: bool = True) -> Html:
        """Return a button that changes the address; *words* are ours, never of the data, since they may hold markup."""

        def press(_value: object) -> None:
            self.change(changes)

        made = self.marimo.ui.button(label=words, tooltip=None, disabled=not possible, kind=self.kind, on_change=press)
        return element("span", self._kept(made), class_=f"press {self.kind}", title=meaning, data_does=meaning)

    def change(self, changes: dict[str, str]) -> None:
        """Change the address, which lets the page be made again."""
        for name, value in changes.items():
            if value:
                self.parameters.set(name, value)
            elif name in self.parameters:
                self.parameters.remove(name)
        # A fresh object is never equal to the one before, so that the page is always made again.
        self.again(object())

    def _kept(self, made: Any) -> Html:
        self.elements.append(made)
        return Html(made.text)

    def _pages(self, asked: Asked) -> list[Html]:
        clear = dict.fromkeys(("order", "by", "status", *DRILLED), "")
        made = []
        for page, title in PAGES.items():
            self.kind = "info" if page == asked.page else "neutral"
            made.append(self.button({**clear, "page": page}, title, title))
        self.kind = "neutral"
        return made

    def _filters(self, page: Shown) -> Html:
        asked, wanted = page.asked, FILTERS[page.asked.page]
        ui, made = self.marimo.ui, []
        for name, known in (("account", page.known.accounts), ("strategy", page.known.strategies)):
            if name in wanted and known:
                made.append(self._choice(name.capitalize(), name, {EVERY: "", **{each: each for each in known}}, asked))
        if "symbol" in wanted:
            typed = ui.text(
                label="Symbol", value=asked.symbol, placeholder="all, or one", on_change=self._setter("symbol")
            )
            made.append(element("div", self._kept(typed), data_filter="symbol"))
        for name, words in choices(asked.page).items():
            made.append(self._choice(WORDS[name], name, {each: each for each in words}, asked))
        if "as_known" in wanted and page.known.commits:
            commits = {NOW: "", **{words[:LABEL_LENGTH_MAX]: at for words, at in page.known.commits}}
            made.append(self._choice("As known", "as_known", commits, asked))
        if "as_of" in wanted and page.known.days:
            made.append(self._slider(page.known.days, asked))
        return element("div", *made, class_="filters")

    def _choice(self, label: str, name: str, options: dict[str, str], asked: Asked) -> Html:
        now = next((words for words, value in options.items() if value == getattr(asked, name)), None)
        chosen = self.marimo.ui.dropdown(
            options,
            value=now or next(iter(options)),
            allow_select_none=False,
            searchable=len(options) > 12,
            label=label,
            full_width=name == "as_known",
            on_change=self._setter(name),
        )
        return element("div", self._kept(chosen), data_filter=name)

    def _slider(self, days: tuple[date, ...], asked: Asked) -> Html:
        last = len(days)
        at = last
        if asked.as_of:
            wanted = _day(asked.as_of)
            at = max((n for n, day in enumerate(days) if wanted and day <= wanted), default=0)

        def slid(value: float) -> None:
            self.change({"as_of": "" if value >= last else days[int(value)].isoformat(), "number": ""})

        slider = self.marimo.ui.slider(
            start=0, stop=last, step=1, value=at, debounce=True, full_width=True, label="", on_change=slid
        )
        stands = f"the close of {asked.as_of}" if asked.as_of else NOW
        words = element(
            "p",
            element("span", "As of ", element("b", stands)),
            element("span", f"{days[0].isoformat()} to {NOW}, {last:,} sessions"),
        )
        return element("div", words, self._kept(slider), class_="slide", data_filter="as_of")

    def _setter(self, name: str) -> Callable[[Any], None]:
        def chosen(value: Any) -> None:
            self.change({name: str(value or "").strip(), "number": ""})

        return chosen


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
