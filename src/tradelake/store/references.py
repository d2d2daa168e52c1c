"""The reference tables as a process knows them, as of one commit."""

from dataclasses import dataclass, replace

import polars as pl

from tradelake.store.batch import Batch
from tradelake.store.catalog import Catalog
from tradelake.tables import ACCOUNTS, INSTRUMENTS, STRATEGIES


@dataclass(frozen=True, slots=True)
class References:
    """Rows of accounts, instruments and strategies after the commit `import_run_id`."""

    import_run_id: int
    accounts: pl.DataFrame
    instruments: pl.DataFrame
    strategies: pl.DataFrame

    @staticmethod
    def read(catalog: Catalog, import_run_id: int) -> "References":
        """Read the tables from the catalog."""
        frames = (catalog.frame(f"SELECT * FROM {table.name}") for table in (ACCOUNTS, INSTRUMENTS, STRATEGIES))
        return References(import_run_id, *frames)

    def with_new(self, batch: Batch, import_run_id: int) -> "References":
        """Return what is known after the commit of *batch*, which the same process has just made."""
        return replace(
            self,
            import_run_id=import_run_id,
            accounts=pl.concat([self.accounts, batch.new_accounts]),
            instruments=pl.concat([self.instruments, batch.new_instruments]),
            strategies=pl.concat([self.strategies, batch.new_strategies]),
        )
