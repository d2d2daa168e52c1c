"""The reference itself: against a simulation share by share, and against the hand-derived scenarios."""

import random
from datetime import timedelta
from fractions import Fraction as F
from pathlib import Path

import pytest
import yaml

from tests.reference.exact import dec
from tests.reference.oracle import compute, replay
from tests.reference.stream import METHODS, START, stamp
from tradelake.jobs.compare import compare

CASES = sorted((Path(__file__).parents[1] / "scenarios" / "cases").glob("*.yaml"))
Held = dict[tuple[str, str], list[tuple[int, F]]]


def next_share(held: list[tuple[int, F]], method: str) -> int:
    """Return which single share the method sells first."""
    if method == "LIFO":
        return len(held) - 1
    if method == "HIFO":
        return max(range(len(held)), key=lambda n: (held[n][1], -n))
    return 0


def by_the_share(events: list[dict[str, str]], method: str) -> tuple[F, Held]:
    """Return profit and holdings of whole-share trades without charges, from a list of single shares."""
    book: Held = {}
    realized = F(0)
    for event in events:
        held = book.setdefault((event["account"], event["instrument"]), [])
        quantity, price = int(event["quantity"]), F(event["price"])
        for _ in range(abs(quantity)):
            if held and held[0][0] * quantity < 0:
                if method == "AVERAGE":
                    mean = F(sum(p for _, p in held), len(held))
                    held[:] = [(s, mean) for s, _ in held]
                side, paid = held.pop(next_share(held, method))
                realized += (price - paid) * side
            else:
                held.append((1 if quantity > 0 else -1, price))
    return realized, book


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("method", METHODS[:4])
def test_the_reference_agrees_with_a_simulation_share_by_share(method, seed):
    rng = random.Random(f"{method}/{seed}")
    events = [
        {
            "id": f"t{n}",
            "kind": "trade",
            "at": stamp(START + timedelta(minutes=n)),
            "account": rng.choice("AB"),
            "instrument": rng.choice(["XX", "YY"]),
            "quantity": str(rng.choice([-1, 1]) * rng.randint(1, 40)),
            "price": dec(F(rng.randint(100, 2000), 100)),
        }
        for n in range(30)
    ]
    stocks = {"XX": {"type": "stock"}, "YY": {"type": "stock"}}
    book = replay(
        {"id": "shares", "lot_method": method, "accounts": {"A": {}, "B": {}}, "instruments": stocks, "events": events}
    )
    realized, held = by_the_share(events, method)
    near = F(1, 10**6) if method == "AVERAGE" else 0  # a pool is rounded to 1e-8 at each sale
    assert abs(sum(row["pnl"] for row in book.rows) - realized) <= near
    assert abs(sum(lot.basis for lot in book.lots) - sum(s * p for h in held.values() for s, p in h)) <= near
    assert all(book.position(*key) == sum(s for s, _ in shares) for key, shares in held.items())


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_reference_gives_the_answers_that_were_derived_by_hand(path):
    for scenario in yaml.safe_load(path.read_text(encoding="utf-8"))["scenarios"]:
        assert compare(scenario["expected"], compute(scenario)) == [], scenario["id"]
