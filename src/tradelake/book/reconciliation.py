"""What a reconciliation found: the breaks with what follows from them, what was compared, and what could not be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from tradelake.reconcile import DIFFERENCES, Difference, Root, frame_of
from tradelake.reconcile.breaks import Seen, break_id, details_of, proposal_of
from tradelake.tables import BREAK_EVENTS, INSTRUMENTS

SECTIONS = ("executions", "positions", "lots", "cash", "realized")
STATEMENTS = pl.Schema(
    {
        "broker_account_id": pl.String(),
        "since": pl.Date(),
        "until": pl.Date(),
        **{section: pl.Int64() for section in SECTIONS},
        "breaks": pl.Int64(),
    }
)
NAMES = ("symbol", "contract_symbol")
BREAKS = pl.Schema(
    {
        **{name: BREAK_EVENTS.schema[name] for name in BREAK_EVENTS.names if name in (
            "break_id", "broker_account_id", "section", "break_class", "instrument_id", "broker_execution_id", "as_of",
            "ours", "theirs", "cause", "details",
        )},
        "proposed": pl.Int64(),
        "consequences": pl.Int64(),
    }
)  # fmt: skip
CONSEQUENCES = pl.Schema({"break_id": pl.String(), "broker_account_id": pl.String(), **DIFFERENCES})


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Our books against the statements of one file.

    `statements` has one row per broker account and period: how many rows of the broker were compared in each section,
    null where the file lacks it or it cannot be compared, and the breaks. `breaks` has one row per difference that
    follows from no other one, with its id, cause and number of proposed events; `consequences` the differences that
    follow, each with the id of its break. `differences` has all of them as they were found. `notes` say in words what
    could not be compared. Nothing was recorded, unless `recorded` says how many steps of breaks were.
    """

    source: str
    statements: pl.DataFrame
    breaks: pl.DataFrame
    consequences: pl.DataFrame
    differences: pl.DataFrame
    notes: tuple[str, ...]
    seen: tuple[Seen, ...] = field(repr=False)
    recorded: int = 0

    @property
    def ok(self) -> bool:
        """True when nothing differs."""
        return not self.breaks.height


def breaks_frame(account: str, until: date, roots: Sequence[Root]) -> pl.DataFrame:
    """Return roots as rows of `Reconciliation.breaks`."""
    rows = [
        {
            "break_id": break_id(account, root.difference),
            "broker_account_id": account,
            "as_of": until,
            **{name: getattr(root.difference, name) for name in BREAKS if hasattr(root.difference, name)},
            "details": details_of(root),
            "proposed": len(root.rows),
            "consequences": len(root.consequences),
        }
        for root in roots
    ]
    return pl.DataFrame(rows, schema=BREAKS)


def consequences_frame(account: str, roots: Sequence[Root]) -> pl.DataFrame:
    """Return what follows from roots as rows of `Reconciliation.consequences`."""
    frames = [
        frame_of(root.consequences).select(
            pl.lit(break_id(account, root.difference)).alias("break_id"),
            pl.lit(account).alias("broker_account_id"),
            "*",
        )
        for root in roots
    ]
    return pl.concat([pl.DataFrame(schema=CONSEQUENCES), *frames])


def differences_frame(differences: Sequence[Difference]) -> pl.DataFrame:
    """Return differences as they were found, one row each."""
    return frame_of(list(differences))


def with_names(rows: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return rows with the symbol and the contract symbol of their instrument, for people."""
    named = INSTRUMENTS.conform(instruments).select("instrument_id", *NAMES)
    return rows.join(named, on="instrument_id", how="left", maintain_order="left")


def proposed_events(details: pl.Series) -> list[int]:
    """Return how many events each break proposes."""
    return [len(proposal_of(text)) for text in details]


def spoken(row: Mapping[str, Any]) -> str:
    """Name a break in a sentence."""
    what = row["broker_execution_id"] or row["instrument_id"] or row["section"]
    return f"{row['break_id']} ({row['break_class']} of {what} in {row['broker_account_id']})"


def break_text(row: Mapping[str, Any]) -> str:
    """Return in words what a step of a break says: its cause, both sides, what follows from it, what it proposes."""
    details = json.loads(row["details"]) if row["details"] else {}
    what = row["broker_execution_id"] or row["instrument_id"] or details.get("currency", "")
    lines = [f"{row['break_id']}: {row['break_class']} of {what} in {row['section']} of {row['broker_account_id']}"]
    lines += [f"  cause: {row['cause']}"] if row["cause"] else []
    lines += [f"  {side}: {_said(details[side])}" for side in ("ours", "theirs") if side in details]
    lines += [f"  follows: {_said(each)}" for each in details.get("consequences", ())]
    lines += [f"  proposed: {_said(each)}" for each in details.get("proposal", ())]
    return "\n".join(lines) + "\n"


def _said(row: Mapping[str, Any]) -> str:
    given = ((name, value) for name, value in row.items() if value is not None)
    return ", ".join(f"{name} {_said(value) if isinstance(value, dict) else value}" for name, value in given)
