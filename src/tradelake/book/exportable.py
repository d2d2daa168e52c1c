"""Which tables can be exported: the listings, with the filters that each of them takes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tradelake.errors import InputError
from tradelake.tables import BY_NAME

WHERE = ("account", "symbol", "strategy")
PERIOD = ("since", "until")
STATE = ("as_of", "as_known")
DERIVED = (*WHERE, *PERIOD, *STATE, "view", "limit")


@dataclass(frozen=True, slots=True)
class Exportable:
    """One table that can be exported: the method of the book that reads it, its filters, its definition."""

    method: str
    takes: tuple[str, ...] = ()
    table: str = ""

    @property
    def meanings(self) -> Mapping[str, str]:
        """What its columns mean, by their names."""
        stored = BY_NAME.get(self.table)
        return MEANINGS | ({} if stored is None else {column.name: column.comment for column in stored.columns})


MEANINGS = {
    "tax_year": "year of date_sold",
    "description": "quantity and what was held, as Form 8949 asks for it",
    "date_acquired": "day of the purchase; of a short position the day that closed it; empty: various",
    "date_sold": "day of the sale; of a short position the day that closed it",
    "long_term_from": "first day on which a sale is long term; empty for short lots and pools",
    "cost_basis": "cost or other basis, with charges and the premium of exercised options",
    "gain": "proceeds - cost_basis",
    "term": "ST: held for a year or less, or short; LT: longer",
    "lot_method": "which lot a sale of the account closed first, then",
    "unrealized_pnl": "value at the newest mark less cost_basis; empty without a mark",
    "realized_pnl": "realized profit, net of charges",
    "dividends": "dividends received (+), or paid in lieu (-)",
    "interest": "interest received (+) or paid (-)",
    "fees": "everything that was charged, also where it is inside a basis",
    "cash": "what came in (+) and went out (-)",
    "state": "active, cancelled or corrected: what later events have made of it",
}
EXPORTABLE: dict[str, Exportable] = {
    "positions": Exportable("positions", DERIVED, "positions"),
    "trades": Exportable("trades", (*WHERE, *PERIOD, *STATE, "limit", "kinds", "in_effect"), "trade_log"),
    "lots": Exportable("lots", DERIVED, "lots"),
    "matches": Exportable("matches", DERIVED, "matches"),
    "history": Exportable("history", DERIVED, "position_history"),
    "chains": Exportable("chains", ("account", "symbol", "status", *STATE, "view"), "chains"),
    "chain-positions": Exportable(
        "chain_positions", ("chain", "account", "symbol", "status", *STATE, "view"), "chain_positions"
    ),
    "pnl": Exportable("pnl", (*WHERE, *PERIOD, *STATE, "view", "by")),
    "bridge": Exportable("bridge", ("account", *STATE)),
    "ledger": Exportable("ledger", (*WHERE, *PERIOD, *STATE)),
    "cash": Exportable("cash", ("account", *STATE)),
    "refusals": Exportable("refusals", (*WHERE, *STATE, "limit"), "refusals"),
    "tax-lots": Exportable("tax_lots", (*WHERE, *PERIOD, *STATE, "limit")),
    "open-tax-lots": Exportable("open_tax_lots", (*WHERE, *PERIOD, *STATE, "limit")),
    "snapshots": Exportable("snapshots", ("account", "symbol", *PERIOD, "as_known", "versions"), "position_snapshots"),
    "account-snapshots": Exportable(
        "account_snapshots", ("account", *PERIOD, "as_known", "versions"), "account_snapshots"
    ),
    "marks": Exportable("marks", ("symbol", *PERIOD, "as_known", "revisions"), "marks"),
    "accounts": Exportable("accounts", (), "accounts"),
    "instruments": Exportable("instruments", ("symbol",), "instruments"),
    "strategies": Exportable("strategies", (), "strategies"),
    "runs": Exportable("runs", (), "import_runs"),
    "records": Exportable("source_records", ("outcome",), "source_records"),
}
GROUPS = "by"
USUAL = ("positions", "trades", "lots", "matches", "history", "chains", "pnl", "bridge")


def exportable(name: str) -> Exportable:
    """Return the table of that name, with hyphens or underscores; InputError where there is none."""
    found = EXPORTABLE.get(name.replace("_", "-"))
    if found is None:
        raise InputError(f"There is no table {name!r}; choose from {', '.join(EXPORTABLE)}.")
    return found


def check_filters(names: Sequence[str], given: Collection[str]) -> None:
    """Raise InputError where a table does not take a filter: its rows would not be what they seem to be.

    The groups of a sum (`by`) restrict nothing: one of the tables has to take them.
    """
    grouped = GROUPS in given and any(GROUPS in exportable(name).takes for name in names)
    for name in names:
        takes = exportable(name).takes
        wrong = [each for each in given if each not in takes and not (grouped and each == GROUPS)]
        if wrong:
            raise InputError(
                f"{name} cannot be restricted by {', '.join(wrong)}; it takes {', '.join(takes) or 'no filters'}. "
                "Ask for it apart, or leave that out."
            )


def usual_tables(given: Collection[str]) -> tuple[str, ...]:
    """Return the tables of an export that names none: the usual ones that take all these filters."""
    wanted = set(given) - {GROUPS}
    found = tuple(name for name in USUAL if wanted <= set(EXPORTABLE[name].takes))
    if not found:
        raise InputError(
            f"No usual table takes all of {', '.join(sorted(wanted))}. Name the tables: {', '.join(EXPORTABLE)}."
        )
    return found
