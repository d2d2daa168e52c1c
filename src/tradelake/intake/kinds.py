"""What each kind of event needs, and what it does not have, beyond trades, option events and cash.

Two tables say it: NEEDS names the kinds that a field is required on, ONLY the kinds that may have it at all. The
rules made from them are asked only where a frame has other kinds than the plain ones, or has such a field.
"""

from collections.abc import Callable, Collection

import polars as pl

from tradelake.intake.entries import CHAINS, EXAMPLES
from tradelake.intake.rules import Finding, Rule, Values, says, written
from tradelake.tables import CHAIN_KINDS, CORPORATE_KINDS, CURE_KINDS, KINDS, MOVE_KINDS, OPTION_KINDS

KIND = pl.col("kind")
PLAIN = ("trade", *OPTION_KINDS, "cash")
FOR_ALL = (*CORPORATE_KINDS, *CURE_KINDS)
WITHOUT_INSTRUMENT = ("cash", "fork", "merge", "lot_method", *CURE_KINDS, *CHAIN_KINDS)
ON_RATIO = ("split", "spin_off", "rights_issue", "option_adjust")
ON_BASIS = ("spin_off", "rights_issue")
ON_UNIT = ("cash_dividend", "return_of_capital")
GIVING = ("subscribe", "spin_off", "rights_issue", "symbol_change")

NEEDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "new_instrument_id",
        ("option_adjust",),
        "Name the option that it becomes, by the id that it was registered under.",
    ),
    ("target_id", CURE_KINDS, "Give the trade_id of the event that it cures."),
    ("set", ("correct",), f"Give the new values by field, for example {EXAMPLES['set']}."),
    ("to_account_id", MOVE_KINDS, "Name the book that it goes to."),
    ("moves", ("fork",), "List what moves, or write [] where nothing does."),
    ("method", ("lot_method",), "Name FIFO, LIFO, HIFO, AVERAGE or SPECIFIC."),
    ("chain", CHAIN_KINDS, f"Say which, for example {EXAMPLES['chain']}."),
    ("shares", ("subscribe",), "Say how many units the rights give."),
    ("ratio", ON_RATIO, "Give new units for old ones, for example 4/1."),
    ("amount_per_unit", ON_UNIT, "Give the cash per unit."),
    ("basis_fraction", ON_BASIS, "Give the share of the basis that moves, from 0 to 1."),
)
ONLY: dict[str, tuple[str, ...]] = {
    "target_id": CURE_KINDS,
    "set": ("correct",),
    "to_account_id": MOVE_KINDS,
    "new_instrument_id": (*GIVING, "option_adjust", "split", "merger"),
    "new_symbol": (*GIVING, "split", "merger"),
    "ratio": (*ON_RATIO, "merger"),
    "amount_per_unit": (*ON_UNIT, "merger"),
    "basis_fraction": ON_BASIS,
    "cash_in_lieu_price": ("split", *ON_BASIS, "merger"),
    "treatment": ("merger",),
    "new_price": ("merger",),
    "reported_change": ("split", "merger", "symbol_change"),
    "pay_at": ("cash_dividend",),
    "shares": ("subscribe",),
    "moves": ("fork",),
    "cash": MOVE_KINDS,
    "method": ("lot_method",),
    "chain": CHAIN_KINDS,
    "action": PLAIN,
    "quantity": (*PLAIN, "subscribe", "transfer"),
    "price": (*PLAIN, "subscribe"),
    "commission": (*PLAIN, "subscribe"),
    "fees": (*PLAIN, "subscribe"),
    "lots": (*PLAIN, "subscribe", "transfer"),
    **{
        name: tuple(kind for kind in KINDS if kind not in WITHOUT_INSTRUMENT or kind in ("cash", *CURE_KINDS))
        for name in ("instrument_id", "symbol", "contract_symbol")
    },
}
OF_PLAIN = ("action", "quantity", "price", "commission", "fees", "lots", "instrument_id", "symbol", "contract_symbol")
NOT_BELOW_ZERO = ("amount_per_unit", "cash_in_lieu_price", "new_price")
Given = Callable[[str], pl.Expr]


def are_plain(kinds: pl.Series) -> bool:
    """Whether a column has no other kinds than trades, option events and cash, spelled as the tables do."""
    return all(kind is None or kind in PLAIN for kind in kinds.unique().to_list())


def missing(name: str, broken: pl.Expr, action: str) -> Rule:
    """Return the rule that an event has a field that its kind needs."""
    sentence = f"An event of the kind {{kind}} needs {name}, and there was none."
    return Rule(name, broken, says("missing_field", sentence, action))


def misplaced(name: str, broken: pl.Expr) -> Rule:
    """Return the rule that an event has no field that does not belong to its kind."""

    def explain(given: Values, read: Values) -> Finding:
        value = written(read.get(name, given.get(name)))
        sentence = f"An event of the kind {read['kind']} has no {name}, and there was {value}."
        return Finding("field_not_allowed", sentence, "Leave the field out, or correct the kind.")

    return Rule(name, broken, explain)


def needed(given: Given) -> list[Rule]:
    """Return the rules of fields that the kinds beyond the plain ones need."""
    new, merger = given("new_instrument_id") | given("new_symbol"), KIND == "merger"
    nothing = ~given("amount_per_unit") & ~given("ratio") & ~new
    return [
        *(missing(name, KIND.is_in(kinds) & ~given(name), action) for name, kinds, action in NEEDS),
        missing(
            "new_instrument_id",
            (KIND.is_in(GIVING) & ~new) | (merger & given("ratio") & ~new),
            "Name new_instrument_id, or new_symbol where the book may not know it yet.",
        ),
        missing("ratio", merger & new & ~given("ratio"), "Give new units for old ones, for example 1/2."),
        missing(
            "amount_per_unit", merger & nothing, "Give the cash per unit, or new_instrument_id and ratio, or all three."
        ),
        missing(
            "quantity",
            (KIND == "transfer") & ~given("quantity") & ~given("lots"),
            "Say how many shares or contracts move, or name the lots.",
        ),
    ]


def misplaced_rules(here: Collection[str], given: Given, *, plain: bool) -> list[Rule]:
    """Return the rules of fields *here* that only some kinds have; *plain* says that there are no other kinds."""
    rules = []
    for name, kinds in ONLY.items():
        if name in here and not (plain and name in OF_PLAIN):
            there = pl.col(name) != 0 if name in ("commission", "fees") else given(name)
            rules.append(misplaced(name, ~KIND.is_in(kinds) & there))
    if "account_id" in here and not plain:
        sentence = (
            "An event of the kind {kind} is for every book that holds the instrument, and there was account_id "
            "{account_id}."
        )
        rules.append(
            Rule(
                "account_id",
                KIND.is_in(CORPORATE_KINDS) & given("account_id"),
                says("field_not_allowed", sentence, "Leave account_id out."),
            )
        )
    return rules


def value_rules(here: Collection[str]) -> list[Rule]:
    """Return the rules of values that can be read but cannot be, for the fields *here*."""
    shares, part = pl.col("shares"), pl.col("basis_fraction")
    rules = [
        Rule(
            "to_account_id",
            pl.col("to_account_id") == pl.col("account_id"),
            says(
                "same_account",
                "An event of the kind {kind} goes from one book to another, and both were {account_id}.",
                "Name the other book in to_account_id.",
            ),
        ),
        Rule(
            "shares",
            shares == 0,
            says("zero_quantity", "shares asks for a number above zero, and there was 0.", "Correct the shares."),
        ),
        Rule(
            "shares",
            shares < 0,
            says(
                "nonpositive_quantity",
                "shares asks for a number above zero, and there was {shares}.",
                "Write the number without sign.",
            ),
        ),
        Rule(
            "basis_fraction",
            ~part.is_between(0, 1),
            says(
                "bad_number",
                "basis_fraction lies between 0 and 1, and there was {basis_fraction}.",
                "Divide it by 100 if it is in percent.",
            ),
        ),
        *(
            Rule(
                name,
                pl.col(name) < 0,
                says(
                    "negative_price", f"{name} asks for zero or more, and there was {{{name}}}.", f"Correct the {name}."
                ),
            )
            for name in NOT_BELOW_ZERO
        ),
        Rule("chain", KIND.is_in(CHAIN_KINDS) & (pl.col("chain_kind") != KIND), _other_chain),
    ]
    return [rule for rule in rules if rule.field in here]


def _other_chain(given: Values, read: Values) -> Finding:
    kind = str(read["kind"])
    return Finding(
        "bad_json",
        f"An event of the kind {kind} asks for {CHAINS[kind]}, and chain was '{written(given['chain'])}'.",
        "Correct the kind, or what chain holds.",
    )


def other_instrument_rule() -> Rule:
    """Return the rule that nothing is spun off or exchanged into itself; a symbol or split may keep its instrument."""
    return Rule(
        "new_instrument_id",
        KIND.is_in((*ON_BASIS, "merger", "subscribe")) & (pl.col("new_instrument_id") == pl.col("instrument_id")),
        says(
            "invalid_instrument",
            "An event of the kind {kind} gives another instrument, and {new_instrument_id} is its own.",
            "Name what comes out of it in new_symbol or new_instrument_id.",
        ),
    )
