"""The terms of an instrument: read from an OSI symbol, completed, written as one, held against each other.

An OSI symbol has 21 characters: the root padded with blanks to 6, the expiration as YYMMDD, C or P, and the
strike times 1000 in 8 digits. Its root is not always the underlying: SPXW is written on SPX, NVDA1 is an
adjusted NVDA. So a given symbol only contradicts a root when neither begins with the other, and never a root
that ends in a digit.

Defaults (STOCK, the multiplier, the underlying) are filled in only where no `instrument_id` is given: an
instrument that was registered under its own id has its own terms, and the book completes them. Settlement and
exercise style stay open in any case, because the instrument may be known already.
"""

import polars as pl

from tradelake.intake.kinds import WITHOUT_INSTRUMENT
from tradelake.intake.rules import Rule, says
from tradelake.units import QUANTITY

OSI_PATTERN = r"^[A-Z][A-Z0-9]{0,5} *[0-9]{6}[CP][0-9]{8}$"
OPTION = pl.col("asset_type") == "OPTION"
OWN_ID = pl.col("own_id")
OPTION_TERMS = ("strike", "expiration", "option_type")
REGISTER = "Give the missing term, or register the instrument and name its instrument_id."
AGREE = "Correct one of the two, or leave the term out: contract_symbol says it."


def osi_parts() -> list[pl.Expr]:
    """Return the columns `osi_…` with the terms that a contract_symbol spells, null where it is none."""
    text = pl.col("contract_symbol")
    shaped = pl.when((text.str.len_bytes() == 21) & text.str.contains(OSI_PATTERN)).then(text)
    strike = pl.concat_str(shaped.str.slice(13, 5), pl.lit("."), shaped.str.slice(18, 3))
    right = shaped.str.slice(12, 1)
    return [
        shaped.str.slice(0, 6).str.strip_chars_end(" ").alias("osi_symbol"),
        (pl.lit("20") + shaped.str.slice(6, 6)).str.to_date("%Y%m%d", strict=False).alias("osi_expiration"),
        pl.when(right == "C").then(pl.lit("CALL")).when(right == "P").then(pl.lit("PUT")).alias("osi_option_type"),
        strike.cast(pl.Decimal(38, 12), strict=False).alias("osi_strike"),
    ]


def no_osi_parts() -> list[pl.Expr]:
    """Return the columns of `osi_parts` without values."""
    kinds = {
        "symbol": pl.String(),
        "expiration": pl.Date(),
        "option_type": pl.String(),
        "strike": pl.Decimal(38, 12),
    }
    return [pl.lit(None, dtype=kind).alias(f"osi_{name}") for name, kind in kinds.items()]


def from_osi() -> list[pl.Expr]:
    """Return the terms completed from the OSI symbol, and the kind of instrument."""
    kind = pl.col("asset_type")
    terms = [pl.coalesce(name, f"osi_{name}").alias(name) for name in ("symbol", *OPTION_TERMS)]
    has_terms = pl.any_horizontal(pl.col(name).is_not_null() for name in OPTION_TERMS)
    completed = (
        pl.when(kind.is_not_null())
        .then(kind)
        .when(pl.col("contract_symbol").is_not_null() | (has_terms & ~OWN_ID))
        .then(pl.lit("OPTION"))
        .when(pl.col("symbol").is_not_null() & ~OWN_ID)
        .then(pl.lit("STOCK"))
    )
    return [*terms, completed.alias("asset_type")]


def completed(*, strikes: bool) -> list[pl.Expr]:
    """Return the multiplier and the contract symbol; *strikes* says whether any row has a strike."""
    default = pl.when(OPTION).then(100).when(pl.col("asset_type").is_not_null()).then(1).cast(QUANTITY)
    multiplier = pl.coalesce("multiplier", pl.when(~OWN_ID).then(default)).alias("multiplier")
    if not strikes:
        return [multiplier]
    built = pl.coalesce("contract_symbol", pl.when(OPTION & ~OWN_ID).then(osi_symbol()))
    return [multiplier, built.alias("contract_symbol")]


def osi_symbol() -> pl.Expr:
    """Return the OSI symbol of the terms; null where they cannot be written as one."""
    root = pl.col("symbol").str.replace_all(r"[ ./-]", "")
    strike, day = pl.col("strike"), pl.col("expiration")
    short = strike.cast(pl.Decimal(38, 3), strict=False)
    digits = short.cast(pl.String).str.replace(".", "", literal=True).str.zfill(8)
    right = pl.col("option_type").str.slice(0, 1)
    writable = (
        root.str.contains("^[A-Z][A-Z0-9]{0,5}$")
        & (strike > 0)
        & (short == strike)
        & (digits.str.len_bytes() == 8)
        & day.dt.year().is_between(2000, 2099)
    )
    text = pl.concat_str(root.str.pad_end(6, " "), day.dt.strftime("%y%m%d"), right, digits)
    return pl.when(writable).then(text)


def identified(*, gives: bool) -> list[pl.Expr]:
    """Return the ids of the instrument, of what an option is written on, and of what it *gives*, if anything."""
    suffix = pl.when(pl.col("currency") == "USD").then(pl.lit("")).otherwise(pl.lit(":") + pl.col("currency"))
    own = pl.when(OPTION).then(pl.col("contract_symbol")).otherwise(pl.col("symbol"))
    new = [pl.coalesce("new_instrument_id", pl.col("new_symbol") + suffix).alias("new_instrument_id")] if gives else []
    return [
        *new,
        pl.coalesce("instrument_id", own + suffix).alias("instrument_id"),
        pl.coalesce("underlying_instrument_id", pl.when(OPTION & ~OWN_ID).then(pl.col("symbol") + suffix)).alias(
            "underlying_instrument_id"
        ),
    ]


def contract_rules(*, final: bool) -> list[Rule]:
    """Return the rules of a contract_symbol and of the terms beside it; *final* as in `term_rules`."""
    contract = pl.col("contract_symbol").is_not_null() if final else pl.col("given:contract_symbol")
    plain_symbol = pl.col("symbol").str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    root = pl.col("osi_symbol")
    stranger = ~plain_symbol.str.starts_with(root) & ~root.str.starts_with(plain_symbol)
    spelled = pl.col("osi_expiration").is_not_null()
    rules = [
        Rule(
            "contract_symbol",
            contract & ~spelled,
            says(
                "invalid_instrument",
                "contract_symbol asks for 21 characters as OSI lays down, and '{contract_symbol}' is none.",
                "Write it like 'NVDA  260116C00150000', or give symbol, strike, expiration, option_type.",
            ),
        ),
        Rule(
            "asset_type",
            contract & ~OPTION,
            says(
                "contradicting_terms",
                "contract_symbol '{contract_symbol}' is an option, and asset_type says {asset_type}.",
                "Correct one of the two, or leave asset_type out.",
            ),
        ),
        Rule(
            "symbol",
            spelled & stranger & ~root.str.contains("[0-9]$"),
            says(
                "contradicting_terms",
                "contract_symbol '{contract_symbol}' has the root {osi_symbol}, and symbol says {symbol}.",
                AGREE,
            ),
        ),
    ]
    rules += [
        Rule(
            name,
            pl.col(name) != pl.col(f"osi_{name}"),
            says(
                "contradicting_terms",
                f"contract_symbol '{{contract_symbol}}' has the {name} {{osi_{name}}}, and {name} says {{{name}}}.",
                AGREE,
            ),
        )
        for name in OPTION_TERMS
    ]
    return rules


def term_rules(*, final: bool) -> list[Rule]:
    """Return the rules of an instrument's terms; *final* says that nobody will complete them any more."""
    complete = pl.lit(value=True) if final else ~OWN_ID
    rules = [
        Rule(
            name,
            pl.col("asset_type").is_in(("STOCK", "INDEX")) & pl.col(name).is_not_null(),
            says(
                "contradicting_terms",
                f"asset_type {{asset_type}} has no {name}, and there was {{{name}}}.",
                AGREE_TYPE,
            ),
        )
        for name in OPTION_TERMS
    ]
    rules += [
        Rule(
            name,
            OPTION & complete & pl.col(name).is_null(),
            says("invalid_instrument", f"An option asks for its {name}, and there was none.", REGISTER),
        )
        for name in OPTION_TERMS
    ]
    rules += [
        Rule(
            name,
            pl.col(name) <= 0,
            says(
                "invalid_instrument",
                f"{name} asks for a number above zero, and there was {{{name}}}.",
                f"Correct the {name}.",
            ),
        )
        for name in ("strike", "multiplier")
    ]
    rules += [
        Rule(
            "symbol",
            (pl.col("symbol").str.len_bytes() == 21) & pl.col("symbol").str.contains(OSI_PATTERN),
            says(
                "invalid_instrument",
                "symbol asks for a stock or an underlying, and '{symbol}' is an option contract.",
                "Give it as contract_symbol.",
            ),
        ),
        Rule(
            "symbol",
            OPTION & complete & pl.col("symbol").is_null(),
            says(
                "missing_field",
                "An option asks for the symbol of its underlying, and there was none.",
                REGISTER,
            ),
        ),
    ]
    return [*rules, _identified_rule(final=final)]


AGREE_TYPE = "Correct asset_type, or leave the term out."


def _identified_rule(*, final: bool) -> Rule:
    if final:
        return Rule(
            "instrument_id",
            ~pl.col("kind").is_in(WITHOUT_INSTRUMENT) & pl.col("asset_type").is_null(),
            says(
                "invalid_instrument",
                "The terms of the instrument {instrument_id} are not known.",
                "Register the instrument first, or give its terms in the row.",
            ),
        )
    return Rule(
        "symbol",
        OPTION & pl.col("instrument_id").is_null(),
        says(
            "invalid_instrument",
            "{symbol} {expiration} {strike} {option_type} cannot be written as an OSI symbol, "
            "with a root of 1 to 6 capital letters and digits and a strike with 3 decimals below 100000.",
            "Register the instrument under an id of its own and give this instrument_id.",
        ),
    )
