"""The readers of chains: computed from positions, matches, lots and events of the accounts that are asked for."""

import polars as pl

from tradelake.book.effective import as_they_count
from tradelake.book.listing import Listing, ask_instead, span_of
from tradelake.book.read import Filter, Instant, Names, instant_of, names, where
from tradelake.book.shelf import asked_again
from tradelake.errors import InputError, Problem
from tradelake.positions import Chains, chains_in_view, chains_of, check_view
from tradelake.tables import CHAIN_POSITIONS, LOTS, MATCHES, POSITION_HISTORY, POSITIONS, REFUSALS, STATUSES, TRADE_LOG

EVENT_COLUMNS = (
    "sequence",
    "trade_id",
    "leg_id",
    "kind",
    "account_id",
    "order_id",
    "broker_order_id",
    "instrument_id",
    "new_instrument_id",
    "action",
    "executed_at",
    "quantity",
    "details",
    "recorded_at",
)


INSTEAD = (
    "Chains are made of orders and rolls, which only the events have, and may begin in any month. Ask for the chains "
    "of an account of which nothing was deleted (account), for positions, matches and history, which are kept for all "
    "time, or for events from {since} on (trades with since)."
)


class ChainReaders(Listing):
    """Everything that asks for chains."""

    def chains(
        self,
        *,
        account: Names = None,
        symbol: Names = None,
        status: str | None = None,
        as_of: Instant = None,
        as_known: Instant = None,
        view: str = "tax",
    ) -> pl.DataFrame:
        """Return the chains, one row each, by account and time of opening.

        `symbol` keeps chains with a position of that symbol or contract, `status` is OPEN or CLOSED.
        """
        check_view(view)
        check_status(status)
        found = self._chains(account, as_of, as_known)
        kept = found.positions.filter(Filter(symbol=symbol).expression(CHAIN_POSITIONS.names, None))
        rows = found.chains.join(kept, on="chain_id", how="semi", maintain_order="left")
        return chains_in_view(rows if status is None else rows.filter(pl.col("status") == status), view)

    def chain_positions(
        self,
        *,
        chain: Names = None,
        account: Names = None,
        symbol: Names = None,
        status: str | None = None,
        as_of: Instant = None,
        as_known: Instant = None,
        view: str = "tax",
    ) -> pl.DataFrame:
        """Return the positions of the chains, one row per position, open or closed.

        `chain` are ids or names of chains; `symbol` and `status` are those of the position.
        """
        check_view(view)
        check_status(status)
        found = self._chains(account, as_of, as_known)
        rows = found.positions.filter(Filter(symbol=symbol).expression(CHAIN_POSITIONS.names, None))
        if chain is not None:
            wanted = names(chain)
            called = pl.col("chain_id").is_in(wanted) | pl.col("name").is_in(wanted).fill_null(value=False)
            rows = rows.join(found.chains.filter(called), on="chain_id", how="semi", maintain_order="left")
        return chains_in_view(rows if status is None else rows.filter(pl.col("status") == status), view)

    def chain_problems(
        self, *, account: Names = None, as_of: Instant = None, as_known: Instant = None
    ) -> tuple[Problem, ...]:
        """Return what joins, splits and names of chains refer to in vain."""
        return self._chains(account, as_of, as_known).problems

    @asked_again
    def _chains(self, account: Names, as_of: Instant, as_known: Instant) -> Chains:
        """Return the chains of some accounts; what they are made of is never filtered otherwise."""
        wanted = Filter(account=account)
        with ask_instead(INSTEAD), self._catalog.transaction():
            past = self._past(as_of, as_known, wanted)
            positions, history, matches, lots, refused = (
                self._at(table, wanted, None, past) for table in (POSITIONS, POSITION_HISTORY, MATCHES, LOTS, REFUSALS)
            )
            positions = self._marked(positions, as_of, as_known)
            events = self._chain_events(wanted, as_of, as_known)
            instruments = self._references(self._standing().import_run_id).instruments
        effective = events.join(refused, on=["sequence", "account_id"], how="anti")
        return chains_of(positions, history, matches, lots, effective, instruments=instruments)

    def _chain_events(self, wanted: Filter, as_of: Instant, as_known: Instant) -> pl.DataFrame:
        """Return the events of the accounts, and those of all accounts, as they count; in a transaction."""
        texts, values = wanted.conditions(EVENT_COLUMNS, None)
        texts = [f"({' AND '.join(texts)} OR account_id IS NULL)"] if texts else []
        texts.append("kind NOT IN ('cash', 'cancel', 'correct')")
        if as_known is not None:
            texts.append("recorded_at <= CAST(? AS TIMESTAMPTZ)")
            values.append(instant_of(as_known).isoformat())
        query = f"SELECT {', '.join(EVENT_COLUMNS)} FROM {TRADE_LOG.name}{where(texts)}"
        told = self._catalog.frame(query, values, span_of(wanted, None))
        events = as_they_count(told, self._cured(as_known))
        # A correction may have brought an event here from another account, or to another time.
        events = events.filter(wanted.expression(["account_id"], None) | pl.col("account_id").is_null())
        return events if as_of is None else events.filter(pl.col("executed_at") <= instant_of(as_of))


def check_status(status: str | None) -> None:
    """Raise InputError for a status that no chain or position has."""
    if status is not None and status not in STATUSES:
        raise InputError(f"there is no status {status!r}; choose from {', '.join(STATUSES)}")
