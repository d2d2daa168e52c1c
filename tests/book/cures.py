"""Rows that cure others, and rows of corporate actions and moves, for tests."""

from typing import Any

LATER = "2026-02-01T12:00:00Z"


def cancel(trade_id: str, target: str, **fields: object) -> dict[str, Any]:
    """Return the cancel of an event."""
    return {"trade_id": trade_id, "kind": "cancel", "target_id": target, "executed_at": LATER} | fields


def correct(trade_id: str, target: str, changes: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Return a correct that sets *changes*."""
    base = {"trade_id": trade_id, "kind": "correct", "target_id": target, "executed_at": LATER}
    return base | {"set": changes} | fields


def action(trade_id: str, kind: str, at: str, **fields: object) -> dict[str, Any]:
    """Return a corporate action of ACME."""
    return {"trade_id": trade_id, "kind": kind, "symbol": "ACME", "executed_at": at} | fields


def move(trade_id: str, kind: str, at: str, **fields: object) -> dict[str, Any]:
    """Return a transfer, fork or merge from GEN-1 to COM-1."""
    base = {"trade_id": trade_id, "kind": kind, "executed_at": at, "account_id": "GEN-1", "to_account_id": "COM-1"}
    return base | fields
