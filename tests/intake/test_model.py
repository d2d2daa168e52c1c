"""The execution as users write it."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from tests.intake.given import BASES, OPTION, STOCK
from tradelake.intake import Execution, executions
from tradelake.intake.fields import BY_NAME, FIELDS


def test_the_model_has_the_fields_of_an_execution_row_with_their_descriptions():
    assert {name: field.description for name, field in Execution.model_fields.items()} == {
        field.name: field.comment for field in FIELDS
    }


@pytest.mark.parametrize("base", BASES)
def test_a_model_is_the_same_event_as_its_row(base):
    row = BASES[base]
    assert executions.from_rows([Execution(**row)]).events.equals(executions.from_rows([row]).events)


def test_numbers_stay_what_they_were():
    execution = Execution(**{**STOCK, "quantity": 3, "price": Decimal("0.10"), "fees": "0.010"})
    assert (execution.quantity, execution.price, execution.fees) == (3, Decimal("0.10"), "0.010")
    assert str(execution.price) == "0.10"


@pytest.mark.parametrize("value", [0.1, float("nan"), True])
@pytest.mark.parametrize("field", [f.name for f in FIELDS if f.reads in ("quantity", "money")])
def test_floats_are_refused(field, value):
    with pytest.raises(ValidationError, match="no exact number"):
        Execution(**{**STOCK, field: value})


def test_a_float_inside_a_chosen_lot_is_refused():
    with pytest.raises(ValidationError, match="no exact number"):
        Execution(**{**STOCK, "lots": [{"open": "T-1", "quantity": 0.5}]})


@pytest.mark.parametrize("change", [{"pirce": "1"}, {"executed_at": None}, {"action": "HOLD"}, {"trade_id": "x" * 65}])
def test_what_is_no_execution_is_refused(change):
    with pytest.raises(ValidationError):
        Execution(**{**STOCK, **change})


def test_a_model_does_not_change():
    execution = Execution(**STOCK)
    name = "price"
    with pytest.raises(ValidationError, match="frozen"):
        setattr(execution, name, "11")


def test_bad_values_wait_for_the_check_of_the_row():
    parsed = executions.from_rows([Execution(**{**OPTION, "quantity": "1e2"}), Execution(**OPTION)])
    assert [found.code for found in parsed.problems] == ["bad_number"]
    assert parsed.events.height == 1


def test_an_instant_without_offset_is_a_reject_and_not_a_guess():
    naive = datetime(2026, 1, 5, 15, tzinfo=UTC).replace(tzinfo=None)
    parsed = executions.from_rows([Execution(**{**STOCK, "executed_at": naive})])
    assert [found.code for found in parsed.problems] == ["naive_timestamp"]


def test_the_json_schema_describes_every_field_and_forbids_others():
    schema = Execution.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["executed_at"]
    assert set(schema["properties"]) == set(BY_NAME)
    assert all(property_["description"] for property_ in schema["properties"].values())


@pytest.mark.parametrize(
    ("text", "good"), [("12.50", True), ("-3", True), ("1e2", False), ("NaN", False), (".5", False)]
)
def test_the_json_schema_takes_numbers_as_plain_text(text, good):
    variants = Execution.model_json_schema()["properties"]["price"]["anyOf"]
    pattern = next(variant["pattern"] for variant in variants if variant["type"] == "string")
    assert (re.search(pattern, text) is not None) == good
    assert {variant["type"] for variant in variants} == {"string", "integer", "null"}
