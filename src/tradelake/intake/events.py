"""The rules of an event: what its kind requires, and what cannot happen whatever the position is.

Which of these are broken follows from the row and the terms of its instrument alone. Rules that depend on
what is held belong to the matcher. A rule whose terms are not known yet counts as kept, and is asked again
when they are.
"""

from collections.abc import Collection

import polars as pl

from tradelake.intake.kinds import (
    FOR_ALL,
    KIND,
    WITHOUT_INSTRUMENT,
    misplaced,
    misplaced_rules,
    missing,
    needed,
    other_instrument_rule,
)
from tradelake.intake.rules import Rule, says
from tradelake.intake.terms import OPTION

TRADE = KIND == "trade"
CASH = KIND == "cash"
NOT_OPEN_ENDED = KIND.is_in(("trade", "exercise", "assign", "subscribe"))
SETTLED = KIND.is_in(("exercise", "assign", "cash_settle"))
ON_OPTIONS = KIND.is_in(("exercise", "assign", "cash_settle", "option_adjust"))
RIGHTS = ("RIGHT", "WARRANT")
EXPIRING = ("OPTION", "RIGHT", "WARRANT")
NOT_OF_CASH = ("action", "quantity", "price")
NOT_OF_OTHERS = ("amount", "cash_category")


def required_rules(here: Collection[str], *, plain: bool) -> list[Rule]:
    """Return the rules of fields that must be there, and of those that do not belong to the kind.

    *here* names the fields that any row has; the rest is missing everywhere. *plain* says that there are only trades,
    option events and cash.
    """

    def _is_given(name: str) -> pl.Expr:
        return pl.col(f"given:{name}") if name in here else pl.lit(value=False)

    nowhere = ~(_is_given("symbol") | _is_given("contract_symbol") | _is_given("instrument_id"))
    nobody = ~(_is_given("account_id") | _is_given("broker_account_id"))
    if not plain:
        nobody &= ~KIND.is_in(FOR_ALL)
    rules = [
        missing("executed_at", ~_is_given("executed_at"), "Say when it happened, for example 2026-01-05T15:00:00Z."),
        missing("account_id", nobody, "Name account_id or broker_account_id."),
        missing(
            "symbol",
            nowhere & ~KIND.is_in(WITHOUT_INSTRUMENT) & pl.col("asset_type").ne_missing("OPTION"),
            "Name symbol, contract_symbol or instrument_id.",
        ),
        missing("action", TRADE & ~_is_given("action"), "Say whether it was bought or sold, for example BUY_TO_OPEN."),
        missing("quantity", NOT_OPEN_ENDED & ~_is_given("quantity"), "Say how many shares or contracts."),
        missing(
            "price",
            KIND.is_in(("trade", "cash_settle", "subscribe")) & ~_is_given("price"),
            "Give the price per unit, or on cash_settle the settlement price of the underlying.",
        ),
        missing("amount", CASH & ~_is_given("amount"), "Give the amount, positive into the account."),
        missing("cash_category", CASH & ~_is_given("cash_category"), "Name deposit, fee, interest or dividend."),
    ]
    rules += [misplaced(name, CASH & _is_given(name)) for name in NOT_OF_CASH if name in here]
    rules += [misplaced(name, CASH & (pl.col(name) != 0)) for name in ("commission", "fees") if name in here]
    rules += [misplaced(name, ~CASH & _is_given(name)) for name in NOT_OF_OTHERS if name in here]
    return [*rules, *([] if plain else needed(_is_given)), *misplaced_rules(here, _is_given, plain=plain)]


def event_rules(*, final: bool, plain: bool) -> list[Rule]:
    """Return the rules of an event and its instrument; *final* says that all terms are known, *plain* as above."""
    rights = [] if plain else [_right_rule(), other_instrument_rule()]
    return [
        *_quantity_rules(),
        *_instrument_rules(),
        *rights,
        _worth_rule(),
        *_settlement_rules(final=final),
        *_day_rules(),
    ]


def _quantity_rules() -> list[Rule]:
    quantity = pl.col("quantity")
    return [
        Rule(
            "quantity",
            quantity == 0,
            says(
                "zero_quantity",
                "quantity asks for a number above zero, and there was 0.",
                "Leave the row out.",
            ),
        ),
        Rule(
            "quantity",
            quantity < 0,
            says(
                "nonpositive_quantity",
                "quantity asks for a number above zero, and there was {quantity}.",
                "Write the quantity without sign; action and kind say the direction.",
            ),
        ),
        Rule(
            "quantity",
            OPTION & (quantity != quantity.floor()),
            says(
                "fractional_contracts",
                "Options move in whole contracts, and there were {quantity}.",
                "Correct the quantity.",
            ),
        ),
    ]


def _instrument_rules() -> list[Rule]:
    kind_of = pl.col("asset_type")
    price = pl.col("price")
    return [
        Rule(
            "asset_type",
            TRADE & (kind_of == "INDEX"),
            says(
                "not_tradable",
                "An index cannot be traded, and there was a trade in {symbol}.",
                "Name the option or fund on the index that was traded.",
            ),
        ),
        Rule(
            "price",
            (price < 0) & ~(TRADE & OPTION & pl.col("combo")),
            says(
                "negative_price",
                "price asks for zero or more, and there was {price}.",
                'Correct the price; only an option with the tag "combo" may be negative, as a leg.',
            ),
        ),
        Rule(
            "asset_type",
            ON_OPTIONS & ~OPTION,
            says(
                "invalid_instrument",
                "An event of the kind {kind} asks for an option, and {symbol} is a {asset_type}.",
                "Name the option that it happened to, by contract_symbol or its terms.",
            ),
        ),
        Rule(
            "asset_type",
            (KIND == "expire") & ~kind_of.is_in(EXPIRING),
            says(
                "invalid_instrument",
                "An event of the kind expire asks for an option or right, and {symbol} is a {asset_type}.",
                "Name the instrument that expired, by contract_symbol or its terms.",
            ),
        ),
    ]


def _right_rule() -> Rule:
    return Rule(
        "asset_type",
        (KIND == "subscribe") & ~pl.col("asset_type").is_in(RIGHTS),
        says(
            "invalid_instrument",
            "An event of the kind subscribe asks for a right or warrant, and {symbol} is a {asset_type}.",
            "Name the right in instrument_id or symbol, and what it gives in new_instrument_id.",
        ),
    )


def _worth_rule() -> Rule:
    """Return the rule that nobody books an option at zero that is worth something."""
    price, strike = pl.col("price"), pl.col("strike")
    worth = pl.when(pl.col("option_type") == "CALL").then(price > strike).otherwise(price < strike)
    return Rule(
        "price",
        (KIND == "expire") & OPTION & worth & ~pl.col("given_up"),
        says(
            "expired_in_the_money",
            "{instrument_id} is worth something at the settlement price {price}, and an expiry books it at zero.",
            'Record exercise, assign or cash_settle; or add the tag "do_not_exercise" if its holder gave it up.',
        ),
    )


def _settlement_rules(*, final: bool) -> list[Rule]:
    settlement = pl.col("settlement")
    settlement = settlement.fill_null("PHYSICAL") if final else settlement
    delivered = KIND.is_in(("exercise", "assign")) & OPTION
    return [
        Rule(
            "settlement",
            delivered & (settlement == "CASH"),
            says(
                "wrong_settlement",
                "An event of the kind {kind} delivers the underlying, and {instrument_id} settles in cash.",
                "Record the kind cash_settle with the settlement price.",
            ),
        ),
        Rule(
            "settlement",
            (KIND == "cash_settle") & OPTION & (settlement == "PHYSICAL"),
            says(
                "wrong_settlement",
                "An event of the kind cash_settle pays cash, and {instrument_id} delivers its underlying.",
                "Record the kind exercise or assign, or give the settlement CASH if that is right.",
            ),
        ),
    ]


def _day_rules() -> list[Rule]:
    expiration, day = pl.col("expiration"), pl.col("new_york_date")
    return [
        Rule(
            "trade_date",
            TRADE & (pl.col("trade_date") > expiration),
            says(
                "trade_after_expiry",
                "{instrument_id} expired on {expiration}, and the trade date was {trade_date}.",
                "Correct executed_at, trade_date or the expiration.",
            ),
        ),
        Rule(
            "executed_at",
            SETTLED & (pl.col("exercise_style") == "EUROPEAN") & (day < expiration),
            says(
                "european_early_exercise",
                "{instrument_id} is European and dies on {expiration}, and this was on {new_york_date}.",
                "Correct executed_at, or the exercise_style if the contract is American.",
            ),
        ),
        Rule(
            "executed_at",
            (KIND == "expire") & (day < expiration),
            says(
                "expire_before_expiry",
                "{instrument_id} expires on {expiration}, and the event was on {new_york_date}.",
                "Correct executed_at; a contract that ended early was closed, exercised or assigned.",
            ),
        ),
    ]
