"""What a book is in a notebook: its card, displays of its listings, charts."""

from typing import Any

import polars as pl

from tradelake.book.exportable import check_filters, exportable
from tradelake.book.plots import Plots
from tradelake.book.reading import Readers
from tradelake.errors import InputError, TradelakeError
from tradelake.outputs.display import ROWS, Display, card, display_frame, listing_of, table_html
from tradelake.outputs.files import as_frame
from tradelake.outputs.report.markup import Html
from tradelake.store import read_head, read_standing
from tradelake.tables import ACCOUNTS, POSITIONS

OPENED_ROWS = 20
ACCOUNTS_SHOWN = 12
OF_POSITIONS = ("positions", "history")


class Notebook(Readers):
    """Everything that is drawn. Nothing of it holds the book: what was read is shown, and the next call reads anew."""

    @property
    def plot(self) -> Plots:
        """Charts of the book, as altair makes them: `pnl`, `positions`, `chain`, `exposure`."""
        return Plots(self)

    def show(self, what: object = "positions", *, rows: int = ROWS, title: str = "", **filters: Any) -> Display:
        """Return a listing, or rows that were read, as a table that a notebook draws.

        `what` is the name of a listing, as `export` takes it, with its `filters`, or a frame, a lazy frame, a relation
        of `book.sql`. Positions, open or closed, open to the trades that made them, and chains to their positions. At
        most `rows` rows are drawn; `.frame` of what comes back has all. Raises InputError.

        Example:
            book.show("positions", account="GEN-1")
            book.show(book.pnl(by=["symbol", "year"]))
        """
        if isinstance(what, str):
            given = {name: value for name, value in filters.items() if value is not None}
            check_filters([what], given)
            frame = getattr(self, exportable(what).method)(**given)
            name = what.replace("_", "-")
        elif filters:
            raise InputError(f"Rows are shown as they are: filter them before, not by {', '.join(filters)}.")
        else:
            frame = as_frame(what)
            name = listing_of(frame)
        drawn = frame.head(rows)
        if name in OF_POSITIONS:
            more = self._trades_below(drawn)
        else:
            more = self._positions_below(drawn) if name == "chains" else {}
        return display_frame(frame, title=title or name, limit=rows, more=more)

    def _trades_below(self, positions: pl.DataFrame) -> dict[int, tuple[str, Html]]:
        """Return what opens below positions: the events that made each of them."""
        ids = positions["position_id"].to_list()
        with self._catalog.transaction():
            events = self._events_of(ids)
            trades = self.trades(position=ids)
        found = {}
        for index, position in enumerate(ids):
            mine = trades.join(events.filter(pl.col("position_id") == position), on="sequence", how="semi")
            note = ""
            if mine.height > OPENED_ROWS:
                note = f"the last {OPENED_ROWS} of {mine.height:,}; book.trades(position={position!r}) has all"
            table = table_html(mine.tail(OPENED_ROWS), "trades", limit=OPENED_ROWS, note=note)
            found[index] = (_counted(mine.height, "event"), table)
        return found

    def _positions_below(self, chains: pl.DataFrame) -> dict[int, tuple[str, Html]]:
        """Return what opens below chains: the positions that each is made of."""
        read: Any = self
        parts = read.chain_positions(chain=chains["chain_id"].to_list())
        found = {}
        for index, chain in enumerate(chains["chain_id"]):
            mine = parts.filter(pl.col("chain_id") == chain)
            note = ""
            if mine.height > OPENED_ROWS:
                note = f"the first {OPENED_ROWS} of {mine.height:,}; book.chain_positions(chain={chain!r}) has all"
            table = table_html(mine.drop("chain_id"), "chain-positions", limit=OPENED_ROWS, note=note)
            found[index] = (_counted(mine.height, "position"), table)
        return found

    def _repr_html_(self) -> str:
        """Return where the book is and stands; of a book that cannot be asked, why."""
        where = ("where", self._catalog.target.shown)
        if self._catalog.closed:
            return card("tradelake book, closed", [where, ("", "Open it again with tl.open.")])
        try:
            return card("tradelake book", [where, *self._facts()])
        except TradelakeError as error:
            return card("tradelake book, not to be asked", [where, ("why", str(error))])

    def _facts(self) -> list[tuple[str, str]]:
        """Return what the card of a book says; a few rows of the catalog, whatever the size of the book."""
        catalog = self._catalog
        with catalog.transaction():
            head, standing = read_head(catalog), read_standing(catalog)
            accounts = catalog.frame(f"SELECT account_id FROM {ACCOUNTS.name} ORDER BY account_id")["account_id"]
            positions = catalog.frame(f"SELECT count(*) AS n FROM {POSITIONS.name}").item()
            version = catalog.version()
        names = ", ".join(accounts.head(ACCOUNTS_SHOWN)) + (" …" if accounts.len() > ACCOUNTS_SHOWN else "")
        waiting = standing.head - standing.checkpoint.sequence
        since = f"; {_counted(waiting, 'later event')} folded with every question" if waiting else ""
        folded = "none yet"
        if standing.checkpoint.sequence:
            folded = f"at event {standing.checkpoint.sequence:,}, with {_counted(positions, 'open position')}"
        return [
            ("data", catalog.data_folder),
            ("opened", "to read" if catalog.read_only else "to read and write"),
            ("version", f"{version:,}, format {catalog.format_version}"),
            ("log", f"{_counted(standing.head, 'event')}, commit {head.import_run_id:,}"),
            ("last told", f"{head.recorded_at:%Y-%m-%d %H:%M:%S} UTC" if standing.head else "nothing yet"),
            ("last fold", f"{folded}{since}"),
            (_counted(accounts.len(), "account"), names or "none"),
        ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
