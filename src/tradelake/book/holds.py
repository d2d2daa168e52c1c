"""Legal holds: what may not be deleted, whatever its age."""

import polars as pl

from tradelake.book.archiving import Archivers
from tradelake.book.shelf import author, facts_batch
from tradelake.errors import InputError
from tradelake.store import Batch, Head, append
from tradelake.store.cold import HOT
from tradelake.tables import ACCOUNTS, ARCHIVE_TOTALS, HOLDS, INSTRUMENTS, TRADE_LOG

STEPS = f"SELECT * FROM {HOLDS.name} ORDER BY import_run_id, hold_id"
# Every account and symbol of every month, whether its events are here, archived or deleted.
CONTENT = (
    f"SELECT date_trunc('month', trade_date)::DATE AS month, account_id, symbol FROM {TRADE_LOG.name} "
    f"UNION SELECT date_trunc('month', trade_date)::DATE, to_account_id, symbol FROM {TRADE_LOG.name} "
    f"UNION SELECT month, account_id, nullif(symbol, '') FROM {ARCHIVE_TOTALS.name}"
)


class Holders(Archivers):
    """Everything that places and releases holds."""

    def hold(self, *, reason: str, account: str | None = None, symbol: str | None = None) -> str:
        """Place a legal hold on the events of an account, a symbol (with its options), or one in the other.

        Returns the id of the hold. Raises InputError for an account or symbol that the book does not have, and where no
        reason is given.
        """
        self._writable()
        if account is None and symbol is None:
            raise InputError("A hold is on an account, a symbol, or both: name one.")
        if account is not None and account not in self._accounts():
            raise InputError(f"There is no account {account!r} to hold. `tradelake accounts` lists them.")
        if symbol is not None and not self._has_symbol(symbol):
            raise InputError(f"No event is of the symbol {symbol!r}. `tradelake instruments` lists the symbols.")
        placed: list[str] = []

        def prepare(_: Head) -> Batch:
            placed.append(f"H-{self._steps()['hold_id'].n_unique() + 1}")
            return self._hold_batch(placed[-1], "placed", account, symbol, reason)

        self._remember(append(self._catalog, prepare, self._index))
        return placed[-1]

    def release(self, hold_id: str, *, reason: str) -> None:
        """Release a legal hold; its history stays. Raises InputError where it is not in force."""
        self._writable()

        def prepare(_: Head) -> Batch:
            steps = self._steps().filter(hold_id=hold_id)
            if not steps.height:
                raise InputError(f"There is no hold {hold_id!r}. `tradelake holds` lists them.")
            last = steps.row(-1, named=True)
            if last["step"] == "released":
                raise InputError(f"The hold {hold_id} was released on {last['recorded_at']:%Y-%m-%d} already.")
            return self._hold_batch(hold_id, "released", last["account_id"], last["symbol"], reason)

        self._remember(append(self._catalog, prepare, self._index))

    def holds(self, *, released: bool = False) -> pl.DataFrame:
        """Return the legal holds that are in force, one row each, as `holds` has them; with `released` every step."""
        steps = self._steps()
        if released:
            return steps
        return steps.group_by("hold_id", maintain_order=True).last().select(steps.columns).filter(step="placed")

    def _steps(self) -> pl.DataFrame:
        return HOLDS.conform(self._catalog.frame(STEPS))

    def _held(self) -> pl.DataFrame:
        """Return the months that holds keep, one row per month and hold: month, hold_id, by month."""
        placed = self.holds().select("hold_id", "account_id", "symbol")
        with self._catalog.joined(placed_holds=placed):
            return self._catalog.frame(
                f"SELECT DISTINCT c.month, h.hold_id FROM ({CONTENT}) c JOIN placed_holds h "
                "ON (h.account_id IS NULL OR h.account_id = c.account_id) "
                "AND (h.symbol IS NULL OR h.symbol = c.symbol) "
                "ORDER BY ALL",
                span=HOT,
            )

    def _hold_batch(self, hold_id: str, step: str, account: str | None, symbol: str | None, reason: str) -> Batch:
        if not reason.strip():
            raise InputError("A hold is placed and released for a reason: say it.")
        row = {"hold_id": hold_id, "step": step, "account_id": account, "symbol": symbol}
        row |= {"reason": reason, "author": author()}
        rows = pl.DataFrame([row], schema={name: HOLDS.schema[name] for name in row})
        return facts_batch("hold", {HOLDS.name: rows}, reason=reason)

    def _accounts(self) -> list[str]:
        names: list[str] = self._catalog.frame(f"SELECT account_id FROM {ACCOUNTS.name}")["account_id"].to_list()
        return names

    def _has_symbol(self, symbol: str) -> bool:
        return bool(self._catalog.frame(f"SELECT 1 FROM {INSTRUMENTS.name} WHERE symbol = ? LIMIT 1", [symbol]).height)
