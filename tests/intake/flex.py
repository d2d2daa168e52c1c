"""Small Flex statements written in place: what the tests of the importer share."""

from collections import Counter
from collections.abc import Mapping
from xml.sax.saxutils import quoteattr

from tradelake.errors import Problem
from tradelake.intake.ibkr_flex import parse
from tradelake.intake.parsed import Parsed

ACCOUNT = "U1"
STOCK = {"assetCategory": "STK", "symbol": "XYZ", "conid": "11", "multiplier": "1"}
PUT = {
    "assetCategory": "OPT",
    "symbol": "XYZ   260116P00050000",
    "underlyingSymbol": "XYZ",
    "underlyingConid": "11",
    "conid": "22",
    "multiplier": "100",
    "strike": "50",
    "expiry": "20260116",
    "putCall": "P",
}
CALL = {**PUT, "symbol": "XYZ   260116C00050000", "conid": "23", "putCall": "C"}
INDEX_CALL = {
    "assetCategory": "OPT",
    "symbol": "SPXW  260116C06000000",
    "conid": "33",
    "multiplier": "100",
    "currency": "USD",
}


def element(tag: str, attributes: Mapping[str, str]) -> str:
    """Return one element as XML."""
    return f"<{tag} " + " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items()) + "/>"


def execution(**changed: str) -> str:
    """Return a Trade element: 100 XYZ bought at 50, with attributes changed; an empty one is left out."""
    row = {
        "accountId": ACCOUNT,
        **STOCK,
        "currency": "USD",
        "dateTime": "20260105;103000",
        "tradeDate": "20260105",
        "quantity": "100",
        "tradePrice": "50",
        "ibCommission": "-1.25",
        "ibCommissionCurrency": "USD",
        "buySell": "BUY",
        "transactionType": "ExchTrade",
        **changed,
    }
    return element("Trade", {name: value for name, value in row.items() if value != ""})


def booking(terms: Mapping[str, str], **changed: str) -> str:
    """Return a Trade element that the broker booked on the last day of the contract, at price 0."""
    row = {
        "dateTime": "20260116;162000",
        "tradeDate": "20260116",
        "tradePrice": "0",
        "ibCommission": "0",
        "transactionType": "BookTrade",
        **terms,
        **changed,
    }
    return execution(buySell="SELL" if row["quantity"].startswith("-") else "BUY", **row)


def exercise(terms: Mapping[str, str], **changed: str) -> str:
    """Return an OptionEAE element of the last day of the contract."""
    row = {"accountId": ACCOUNT, "currency": "USD", "date": "20260116", **terms, **changed}
    return element("OptionEAE", row)


def cash(**changed: str) -> str:
    """Return a CashTransaction element: a deposit of 1000."""
    row = {
        "accountId": ACCOUNT,
        "currency": "USD",
        "dateTime": "20260105",
        "amount": "1000",
        "type": "Deposits/Withdrawals",
        "levelOfDetail": "DETAIL",
        **changed,
    }
    return element("CashTransaction", {name: value for name, value in row.items() if value != ""})


def statement(**sections: list[str]) -> bytes:
    """Return a Flex document with one statement of these sections."""
    inside = "".join(f"<{name}>{''.join(rows)}</{name}>" for name, rows in sections.items())
    return document(f'<FlexStatement accountId="{ACCOUNT}" fromDate="20260101">{inside}</FlexStatement>')


def document(statements: str) -> bytes:
    """Return a Flex document around statements."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><FlexQueryResponse queryName="q" type="AF">'
        f'<FlexStatements count="1">{statements}</FlexStatements></FlexQueryResponse>'
    ).encode()


def read(**sections: list[str]) -> Parsed:
    """Parse one statement of these sections."""
    return parse(statement(**sections), name="flex.xml")


def outcomes(parsed: Parsed) -> list[str]:
    """Return what became of each record: `event`, or the code of a kept or rejected row."""
    return [code or outcome for outcome, code in parsed.records.select("outcome", "code").iter_rows()]


def counts(parsed: Parsed) -> dict[str, int]:
    """Return how many events, kept rows and rejects there are."""
    return dict(sorted(Counter(parsed.records["outcome"].to_list()).items()))


def events(parsed: Parsed, *names: str) -> list[tuple[object, ...]]:
    """Return the named columns of the events, row by row."""
    return parsed.events.select(names).rows()


def only_problem(parsed: Parsed) -> Problem:
    """Return the one problem of a statement."""
    assert len(parsed.problems) == 1, parsed.problems
    return parsed.problems[0]
