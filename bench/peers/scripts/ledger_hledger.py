"""hledger adds up a journal of the fills: what is held, and the same at cost, which is the profit of what is flat."""

import csv
import datetime
import subprocess
from decimal import Decimal

from common import FOLDER, answer, money, report, rows, timed

EPOCH = datetime.date(1970, 1, 1).toordinal()
JOURNAL = FOLDER / "fills.journal"
BALANCE = ("balance", "assets:held", "--flat", "--no-total", "--output-format=csv", "--layout=bare")


def write() -> dict[str, tuple]:
    """Write the journal, and return the pair that each of its accounts stands for."""
    places, lines = dict[str, tuple](), list[str]()
    for account, contract, side, quantity, price, fee, multiplier, at in rows():
        place = f"assets:held:{account}:{contract}"
        places[place] = (account, contract)
        # There is no multiplier: prices are of a contract.
        lines += (
            f"{datetime.date.fromordinal(EPOCH + at // 86_400_000_000)} fill",
            f'  {place}  {side * quantity} "{contract}" @ {money(price * multiplier)} USD',
            f"  expenses:charges  {money(fee)} USD",
            f"  assets:cash:{account}  {money(-side * quantity * price * multiplier - fee)} USD",
            "",
        )
    JOURNAL.write_text("\n".join(lines), encoding="utf-8")
    return places


def run(*arguments: str) -> str:
    """Return what hledger prints."""
    done = subprocess.run(("hledger", *arguments), check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def balances(*options: str) -> dict[str, Decimal]:
    """Return what the accounts hold, without those that hold nothing."""
    found = csv.DictReader(run("-f", str(JOURNAL), *BALANCE, *options).splitlines())
    return {row["account"]: Decimal(row["balance"]) for row in found}


def main() -> None:
    """Write the journal, and have it read and added up three times."""
    places = write()
    counted, held = timed(balances)
    costed, costs = timed(lambda: balances("--cost"))
    past, _ = timed(lambda: balances("--end=2024-03-01"))
    answer(
        ((*pair, int(-costs.get(place, 0) * 100), int(held.get(place, 0))) for place, pair in places.items()),
        "cents",
        "quantity",
    )
    report(
        run("--version").split()[1].rstrip(","),
        ("read the journal, quantities", counted, "rebuild"),
        ("read the journal, quantities at cost", costed, "rebuild"),
        ("positions as of a past date, the journal read again", past, "positions as of a past date"),
    )


main()
