"""The terms of corporate actions, as a table of their own beside the log."""

import json
from decimal import Decimal

import polars as pl

from tradelake.tables import CORPORATE_ACTIONS, CORPORATE_KINDS


def corporate_rows(log: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `corporate_actions` for those rows of the log that are one."""
    actions = log.filter(pl.col("kind").is_in(CORPORATE_KINDS)).sort("sequence")
    if not actions.height:
        return CORPORATE_ACTIONS.empty()
    rows = []
    for event in actions.iter_rows(named=True):
        details = json.loads(event["details"]) if event["details"] else {}
        new, _, old = details.get("ratio", "/").partition("/")
        terms = {name: details.get(name) for name in ("amount_per_unit", "basis_fraction")}
        rows.append(
            {
                "sequence": event["sequence"],
                "import_run_id": event["import_run_id"],
                "action_type": event["kind"],
                "instrument_id": event["instrument_id"],
                "new_instrument_id": event["new_instrument_id"],
                "effective_at": event["executed_at"],
                "ratio_new": int(new) if new else None,
                "ratio_old": int(old) if old else None,
                **{name: None if text is None else Decimal(text) for name, text in terms.items()},
            }
        )
    return pl.DataFrame(rows, schema=CORPORATE_ACTIONS.schema)
