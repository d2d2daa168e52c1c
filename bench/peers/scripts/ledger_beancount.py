"""beancount books the fills by FIFO: a ledger as text, loaded with booking; a flip is cut in two beforehand."""

import datetime
from collections import defaultdict
from decimal import Decimal

import beancount
from beancount import loader
from beancount.core import data as entries_of
from common import FOLDER, answer, cut, money, report, rows, timed

EPOCH = datetime.date(1970, 1, 1).toordinal()


def write() -> tuple[str, dict[int, tuple]]:
    """Write the ledger: an account of assets and one of income for each account and contract."""
    opened, lines = dict[tuple, int](), list[str]()
    for order, (fill, closes, opens) in enumerate(cut(rows())):
        account, contract, side, quantity, price, fee, multiplier, at = fill
        number = opened.setdefault((account, contract), len(opened))
        date = datetime.date.fromordinal(EPOCH + at // 86_400_000_000)
        place = f"Assets:P{number}"
        lines.append(f'{date} * "fill"')
        # Lots of beancount have no multiplier: units of 100 shares.
        if closes:
            lines.append(f"  {place} {side * closes * multiplier} C{number} {{}} @ {money(price)} USD")
        if opens:
            # Lots of one day and price would be one, and leave in the turn of its first: a label keeps them apart.
            lot = f'{{{money(price)} USD, "{order}"}}'
            lines.append(f"  {place} {side * opens * multiplier} C{number} {lot}")
        lines.append(f"  Assets:Cash {money(-side * quantity * price * multiplier - fee)} USD")
        lines.append(f"  Expenses:Fees {money(fee)} USD")
        if closes:
            lines.append(f"  Income:P{number}")
    head = ['option "booking_method" "FIFO"', "1970-01-01 open Assets:Cash", "1970-01-01 open Expenses:Fees"]
    for number in opened.values():
        head += [f'1970-01-01 open Assets:P{number} C{number} "FIFO"', f"1970-01-01 open Income:P{number}"]
    path = FOLDER / "ledger.beancount"
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    return str(path), {number: key for key, number in opened.items()}


def main() -> None:
    """Load the ledger, and add up what it has booked as income."""
    path, keys = write()
    seconds, (entries, errors, _) = timed(lambda: loader.load_file(path))
    if errors:
        raise SystemExit(f"{len(errors)} errors, the first: {errors[0].message}")
    income: dict[int, Decimal] = defaultdict(Decimal)
    for entry in entries:
        if isinstance(entry, entries_of.Transaction):
            for posting in entry.postings:
                if posting.account.startswith("Income:P"):
                    income[int(posting.account[8:])] -= posting.units.number
    answer(((*keys[number], int(income[number] * 100)) for number in keys), "cents")
    report(beancount.__version__, ("load and book by FIFO", seconds, "rebuild"))


main()
