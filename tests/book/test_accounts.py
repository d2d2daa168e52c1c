"""Which book an event belongs to: patterns, defaults, allocation files, and what nobody can decide."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.books import fill, frame, shared_accounts
from tradelake.errors import InputError


def broker_fill(number: int, quantity: str = "10", **fields: object) -> dict[str, object]:
    """Return an execution that names the broker account U1 only."""
    return fill(number, quantity, account_id=None, broker_account_id="U1") | fields


def by_trade(book) -> dict[str, str]:
    """Return the account of each trade id."""
    return dict(frame(book.trades()).select("trade_id", "account_id").iter_rows())


def test_patterns_of_order_references_and_strategies_tell_three_books_apart(other_book):
    other_book.add_accounts(
        [row | {"broker_account_id": "U7"} for row in shared_accounts("U7") if row["account_id"] != "GEN-1"]
    )
    other_book.add_accounts([{"account_id": "BASE", "broker_account_id": "U7", "allocation_default": True}])
    rows = [
        broker_fill(1, order_reference="REV-1/17"),
        broker_fill(2, strategy_id="COM-1-leaps"),
        broker_fill(3, order_reference="anything"),
        broker_fill(4),
        broker_fill(5, account_id="REV-1"),
    ]
    receipt = other_book.record([row | {"broker_account_id": "U7"} for row in rows])
    assert receipt.ok
    assert by_trade(other_book) == {"T1": "REV-1", "T2": "COM-1", "T3": "BASE", "T4": "BASE", "T5": "REV-1"}


def test_a_row_that_no_rule_or_two_rules_claim_is_refused_as_unallocated(local_book):
    local_book.add_accounts(shared_accounts("U7")[1:])
    local_book.add_accounts([{"account_id": "ODD", "broker_account_id": "U7", "allocation_pattern": "*-1?"}])
    receipt = local_book.record(
        [
            broker_fill(1, broker_account_id="U7", order_reference="GEN"),
            broker_fill(2, broker_account_id="U7", order_reference="REV-1x"),
            broker_fill(3, broker_account_id="U7", order_reference="REV-1"),
        ]
    )
    assert (receipt.accepted, receipt.rejects) == (1, 2)
    assert [(p.code, p.row, p.field, p.value) for p in receipt.problems] == [
        ("unallocated", 1, "order_reference", "GEN"),
        ("unallocated", 2, "order_reference", "REV-1x"),
    ]
    assert "--allocation" in receipt.problems[0].action
    assert by_trade(local_book) == {"T3": "REV-1"}


def test_a_broker_account_that_nobody_mapped_becomes_a_book_named_in_the_receipt(local_book):
    rows = [broker_fill(n, broker_account_id=f"U{8 + n % 2}") for n in range(4)]
    receipt = local_book.record(rows)
    assert receipt.ok
    assert receipt.new_accounts == ("U8", "U9")
    assert set(by_trade(local_book).values()) == {"U8", "U9"}
    again = local_book.record([*rows, broker_fill(7, broker_account_id="U8")])
    assert (again.accepted, again.duplicates, again.new_accounts) == (1, 4, ())
    accounts = local_book.accounts().filter(pl.col("account_id") == "U8").row(0, named=True)
    assert (accounts["broker_account_id"], accounts["lot_method"]) == ("U8", "FIFO")


def test_an_unknown_or_contradicting_account_is_refused_and_changes_nothing(local_book):
    local_book.add_accounts([{"account_id": "REV-1", "broker_account_id": "U2"}])
    version = local_book.version
    receipt = local_book.record([fill(1, account_id="NOBODY"), fill(2, account_id="REV-1", broker_account_id="U1")])
    assert [(p.code, p.row, p.field, p.value) for p in receipt.problems] == [
        ("unknown_account", 1, "account_id", "NOBODY"),
        ("contradicting_account", 2, "broker_account_id", "U1"),
    ]
    assert (local_book.sequence, local_book.version) == (0, version + 1)  # the records of what was refused
    assert local_book.instruments().height == 0


def test_an_account_is_added_once_and_other_content_is_a_conflict(local_book):
    version = local_book.version
    assert local_book.add_accounts([{"account_id": "GEN-1", "broker_account_id": "U1"}]).duplicates == 1
    assert local_book.version == version
    receipt = local_book.add_accounts(
        [{"account_id": "GEN-1", "lot_method": "LIFO"}, {"account_id": "N", "lot_method": "X"}]
    )
    assert (receipt.accepted, receipt.conflicts, receipt.rejects) == (0, 1, 1)
    assert local_book.version == version
    both = local_book.add_accounts(
        [{"account_id": "C", "parent_account_id": "P"}, {"account_id": "P"}, {"account_id": "P"}]
    )
    assert (both.accepted, both.duplicates) == (2, 1)


@pytest.fixture
def block(tmp_path: Path) -> Path:
    """A file with one block fill of 100 shares and one plain fill."""
    file = tmp_path / "block.jsonl"
    rows = [broker_fill(1, "100", trade_id=None, commission="1.00", fees="0.10"), broker_fill(2, trade_id=None)]
    pl.DataFrame(rows).drop("account_id", "trade_id").with_columns(order_reference=pl.lit("REV-1")).write_ndjson(file)
    return file


def allocation(folder: Path, text: str) -> Path:
    """Return an allocation file of the lines given."""
    file = folder / "allocation.csv"
    file.write_text("broker_execution_id,account_id,quantity\n" + text)
    return file


def test_an_allocation_file_splits_a_block_and_its_charges_exactly(broker_book, block, tmp_path):
    split = allocation(tmp_path, "X1,GEN-1,33\nX1,REV-1,33.5\nX1,COM-1,33.5\n")
    receipt = broker_book.ingest("executions", block, allocation=split)
    assert (receipt.accepted, receipt.ok) == (4, True)
    parts = frame(broker_book.trades()).filter(pl.col("broker_execution_id") == "X1").sort("account_id")
    assert dict(parts.select("account_id", "quantity").iter_rows()) == {
        "COM-1": Decimal("33.5"),
        "GEN-1": Decimal(33),
        "REV-1": Decimal("33.5"),
    }
    assert parts.select(pl.col("commission", "fees", "quantity", "gross_amount", "net_amount").sum()).row(0) == (
        Decimal("1.00"),
        Decimal("0.10"),
        Decimal(100),
        Decimal("10125"),
        Decimal("-10126.10"),
    )
    assert parts["trade_id"].n_unique() == 3
    version = broker_book.version
    assert broker_book.ingest("executions", block, allocation=split).duplicates == 4
    assert broker_book.version == version


def test_a_block_that_was_split_can_not_be_booked_again_otherwise(broker_book, block, tmp_path):
    broker_book.ingest("executions", block, allocation=allocation(tmp_path, "X1,GEN-1,40\nX1,COM-1,60\n"))
    whole = broker_book.ingest("executions", block)
    assert (whole.accepted, whole.duplicates, whole.conflicts) == (0, 1, 1)
    other = broker_book.ingest("executions", block, allocation=allocation(tmp_path, "X1,GEN-1,50\nX1,REV-1,50\n"))
    assert (other.accepted, other.duplicates, other.conflicts) == (0, 1, 2)
    assert frame(broker_book.trades())["quantity"].sum() == 110


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("X1,GEN-1,99\n", "X1 has a quantity of 100"),
        ("X1,GEN-1,60\nX1,REV-1,60\n", "X1 has a quantity of 100"),
        ("X1,GEN-1,50\nX1,GEN-1,50\n", "line 3: X1 is allotted to GEN-1 already"),
        ("X1,GEN-1,1e2\n", "line 2: the quantity '1e2' is not a decimal"),
        ("X1,GEN-1,-5\nX1,REV-1,105\n", "line 2: the quantity '-5' is not a decimal"),
        ("X1,GEN-1,0.0\nX1,REV-1,100\n", "line 2: the quantity 0.0 is not positive"),
        ("X1,GEN-1\n", "line 2: "),
        ("X1,,100\n", "line 2: "),
        ("X1,GEN-1,0.000000001\n", "line 2: "),
    ],
)
def test_a_wrong_allocation_file_is_an_error_and_changes_nothing(broker_book, block, tmp_path, text, words):
    version = broker_book.version
    with pytest.raises(InputError) as error:
        broker_book.ingest("executions", block, allocation=allocation(tmp_path, text))
    assert str(error.value).startswith("allocation.csv")
    assert words in str(error.value)
    assert broker_book.version == version


def test_an_allocation_to_an_unknown_book_is_a_reject(broker_book, block, tmp_path):
    receipt = broker_book.ingest("executions", block, allocation=allocation(tmp_path, "X1,GEN-1,50\nX1,NOBODY,50\n"))
    assert (receipt.accepted, receipt.rejects) == (2, 1)
    assert receipt.problems[0].code == "unknown_account"
