"""What a Flex row says about the instrument: kind, symbols, option terms, settlement."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradelake.intake import ibkr_values as values

if TYPE_CHECKING:
    from tradelake.intake.ibkr_values import Clock
    from tradelake.intake.ibkr_xml import Row

STOCK, OPTION, CASH, UNSUPPORTED = "STOCK", "OPTION", "CASH", "UNSUPPORTED"

_ASSET_TYPES = {"STK": STOCK, "OPT": OPTION, "WAR": "WARRANT", "IND": "INDEX", "CASH": CASH}
_OSI = re.compile(r"(?P<root>[A-Z0-9]{1,6}) *(?P<day>\d{6})(?P<right>[CP])(?P<strike>\d{8})")
_PAIR = re.compile(r"[A-Z]{3}\.[A-Z]{3}")
_DESCRIPTION = re.compile(r"(?P<root>.+) (?P<day>\d{2}[A-Z]{3}\d{2}) (?P<strike>[\d.]+) (?P<right>[CP])")

# Cash-settled and exercised at expiry only. Source: the product pages of Cboe and Nasdaq.
_INDEXES = """
    SPX XSP XEO NDX XND NQX RUT MRUT VIX DJX OEX RUI RLG RLV MXEA MXEF MXUSA MXWLD SPIKE CBTX MBTX NANOS SPESG
    XAU HGX OSX SOX UTY BKX SIXB SIXC SIXE SIXI SIXM SIXR SIXRE SIXT SIXU SIXV SIXY
"""
_INDEX_OF_ROOT = {
    **{index: index for index in _INDEXES.split()},
    "SPXW": "SPX",
    "SPXPM": "SPX",
    "XSPW": "XSP",
    "NDXP": "NDX",
    "RUTW": "RUT",
    "VIXW": "VIX",
}
# These names are stocks or funds in dollars, and indexes elsewhere.
_ABROAD = "ESTX50 DAX SMI CAC40 EOE IBEX FTMIB OMXS30 N225 HSI HHI.HK MHI K200"
_INDEXES_ABROAD = frozenset(_ABROAD.split())
_RIGHTS = {"C": "CALL", "CALL": "CALL", "P": "PUT", "PUT": "PUT"}
_AMERICAN_ROOTS = frozenset(("OEX",))


@dataclass(frozen=True, slots=True)
class Terms:
    """The instrument of a row in the fields of an execution row; `category` is the broker's word."""

    asset_type: str
    category: str
    symbol: str
    contract_symbol: str | None = None
    strike: str | None = None
    expiration: str | None = None
    option_type: str | None = None
    multiplier: str | None = None
    settlement: str | None = None
    exercise_style: str | None = None
    instrument_id: str | None = None

    @property
    def key(self) -> str:
        """What tells two contracts apart inside one document."""
        if self.asset_type != OPTION:
            return plain_symbol(self.symbol)
        return self.contract_symbol or "|".join(
            part or "" for part in (self.symbol, self.expiration, self.option_type, self.strike)
        )


def plain_symbol(symbol: str) -> str:
    """Return a symbol without blanks and points: options on `BRK B` have the root `BRKB`."""
    return re.sub(r"[ .]", "", symbol.upper())


def terms_of(row: "Row", clock: "Clock") -> Terms:
    """Return the terms that a row gives or implies; what it does not say stays None."""
    category = row.get("assetCategory").upper()
    symbol = row.get("symbol")
    asset_type = _ASSET_TYPES.get(category, UNSUPPORTED) if category else _inferred(row, symbol)
    if asset_type == OPTION:
        return _option(row, clock, category or "OPT")
    multiplier = values.number(row.get("multiplier")) or None
    return Terms(asset_type, category, symbol, multiplier=None if multiplier == "0" else multiplier)


def _inferred(row: "Row", symbol: str) -> str:
    if row.get("putCall") or _OSI.fullmatch(symbol.upper()):
        return OPTION
    if _PAIR.fullmatch(symbol):
        return CASH
    return STOCK if values.number(row.get("multiplier")) in ("", "0", "1") else UNSUPPORTED


def _option(row: "Row", clock: "Clock", category: str) -> Terms:
    osi = _OSI.fullmatch(row.get("symbol").upper())
    said = _DESCRIPTION.fullmatch(row.get("description").upper())
    underlying = row.get("underlyingSymbol") or ("" if osi else said["root"] if said else row.get("symbol"))
    root = osi["root"] if osi else plain_symbol(underlying)
    expiration = _expiration(row, clock, osi=osi, said=said)
    right = _right(row, osi=osi, said=said)
    strike = values.number(row.get("strike")) or (
        _strike(osi) if osi else values.number(said["strike"]) if said else ""
    )
    contract = _padded(osi) if osi else _contract(root, expiration, right, strike)
    symbol = _underlying(underlying, root)
    abroad = symbol in _INDEXES_ABROAD and row.get("currency").upper() not in ("", "USD")
    index = symbol in _INDEX_OF_ROOT.values() or abroad
    unwritten = not contract and expiration and right and strike and row.get("conid")
    return Terms(
        OPTION,
        category,
        symbol,
        contract_symbol=contract,
        strike=strike or None,
        expiration=expiration,
        option_type=right,
        multiplier=values.number(row.get("multiplier")) or None,
        settlement="CASH" if index else "PHYSICAL",
        exercise_style="EUROPEAN" if index and root not in _AMERICAN_ROOTS else "AMERICAN",
        instrument_id=f"IBKR-{row.get('conid')}" if unwritten else None,
    )


def _underlying(named: str, root: str) -> str:
    # A digit at the end of a root marks an adjusted contract on the same share.
    symbol = named or (root if root in _INDEX_OF_ROOT else root.rstrip("0123456789") or root)
    return _INDEX_OF_ROOT.get(symbol, symbol)


def _expiration(row: "Row", clock: "Clock", *, osi: "re.Match[str] | None", said: "re.Match[str] | None") -> str | None:
    given = row.get("expiry")
    if given:
        return clock.day(given) or given
    if osi:
        return clock.day(f"20{osi['day']}")
    if said:
        day = said["day"]
        return clock.day(f"{day[:2]}-{day[2:5]}-{day[5:]}")
    return None


def _right(row: "Row", *, osi: "re.Match[str] | None", said: "re.Match[str] | None") -> str | None:
    given = (row.get("putCall") or row.get("subCategory")).upper()
    if given not in _RIGHTS:
        given = osi["right"] if osi else said["right"] if said else given
    return _RIGHTS.get(given, given or None)


def _strike(osi: "re.Match[str]") -> str:
    return values.number(f"{osi['strike'][:5]}.{osi['strike'][5:]}")


def _padded(osi: "re.Match[str]") -> str:
    return f"{osi['root']:<6}{osi['day']}{osi['right']}{osi['strike']}"


def _contract(root: str, expiration: str | None, right: str | None, strike: str) -> str | None:
    thousandths = values.exact(strike, 3)
    if not re.fullmatch(r"[A-Z0-9]{1,6}", root) or right not in ("CALL", "PUT") or thousandths is None:
        return None
    if not expiration or not re.fullmatch(r"20\d\d-\d\d-\d\d", expiration) or not 0 < thousandths < 10**8:
        return None
    return f"{root:<6}{expiration[2:].replace('-', '')}{right[0]}{thousandths:08d}"
