"""Flex XML as bytes -> the rows of the sections that are read.

Only the shape of the document is judged here: is it XML, whole, and a Flex statement. A document type is
refused, so no entity is ever expanded and nothing is fetched. What the rows mean is decided elsewhere.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from tradelake.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTIONS = {
    "Trades": ("Trade", "Order", "SymbolSummary", "AssetSummary", "Lot", "WashSale"),
    "TradeConfirms": ("TradeConfirm", "TradeConfirmation"),
    "OptionEAE": ("OptionEAE",),
    "CorporateActions": ("CorporateAction",),
    "CashTransactions": ("CashTransaction",),
    "Transfers": ("Transfer", "TransferLot"),
    "OpenPositions": ("OpenPosition",),
}
FUNDS = "StmtFunds"
CASH_REPORT = "CashReport"
_SECTION_OF_TAG = {tag: section for section, tags in SECTIONS.items() for tag in tags}
_ABSENT = frozenset(("", "-", "--", "N/A"))
_NO_ELEMENTS = expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]
_UNFINISHED = frozenset(
    expat.errors.codes[text]
    for text in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


@dataclass(frozen=True, slots=True)
class Row:
    """One element of a section that is read.

    `number` counts from 1 over all rows of the document in order; `account` is the row's own account, or that
    of its statement where the row names none; `attributes` are as written, in file order.
    """

    number: int
    section: str
    tag: str
    account: str
    attributes: "Mapping[str, str]"

    def get(self, *names: str) -> str:
        """Return the first of the attributes that says something, stripped; empty where none does."""
        for name in names:
            text = self.attributes.get(name, "").strip()
            if text not in _ABSENT:
                return text
        return ""

    @property
    def text(self) -> str:
        """The element as canonical JSON: its tag, then its attributes in file order."""
        return json.dumps({"tag": self.tag, **self.attributes}, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True)
class Frame:
    """One FlexStatement: what its own attributes say, which sections it has, also empty ones, and where its rows are.

    `first` and `last` are the numbers of its rows, `cash` the rows of its cash report, which are in no `Document.rows`.
    """

    attributes: "Mapping[str, str]"
    first: int
    last: int = 0
    sections: set[str] = field(default_factory=set)
    cash: list[Row] = field(default_factory=list)

    @property
    def account(self) -> str:
        """The account that the statement is for."""
        return self.attributes.get("accountId", "").strip()


@dataclass(frozen=True, slots=True)
class Document:
    """The rows that are read, the lines of the statement of funds, and the statements that frame them."""

    rows: tuple[Row, ...]
    funds: tuple[Row, ...]
    frames: tuple[Frame, ...]

    @property
    def frame_dates(self) -> tuple[str, ...]:
        """The days that frame the statements, as written."""
        names = ("fromDate", "toDate", "whenGenerated")
        return tuple(frame.attributes.get(name, "") for frame in self.frames for name in names)


def read(data: bytes, *, name: str) -> Document:
    """Read a Flex statement; raise InputError where the bytes as a whole are none.

    The error says which: empty, not XML, cut off, a document type, another root (for IBKR's own error answer,
    what it says), or no statement inside.
    """
    if not data.strip():
        raise InputError(f"{name} is empty: download the Flex statement again.")
    builder = _Builder(name)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.words
    parser.StartDoctypeDeclHandler = builder.doctype
    final = True
    try:
        parser.Parse(data, final)
    except expat.ExpatError as error:
        raise InputError(_complaint(error, name=name, root=builder.root)) from error
    except (LookupError, ValueError) as error:
        raise InputError(f"{name} names an encoding that cannot be read ({error}): save it as UTF-8.") from error
    return builder.document()


def _complaint(error: expat.ExpatError, *, name: str, root: str) -> str:
    place = f"line {error.lineno}, column {error.offset}"
    if error.code in _UNFINISHED and (root or error.code != _NO_ELEMENTS):
        return f"{name} is cut off: the XML ends unfinished at {place}. Download the Flex statement again."
    if not root:
        return (
            f"{name} is not XML (at {place}): expected a Flex statement, whose first element is"
            " FlexQueryResponse. Run the Flex query with format XML."
        )
    return (
        f"{name} is not well-formed XML: {expat.ErrorString(error.code)} at {place}."
        " Download the Flex statement again; if it was edited by hand, mend that place."
    )


class _Builder:
    """Collects rows while the document is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root = ""
        self._path: list[str] = []
        self._statement_depth = 0
        self._rows: list[Row] = []
        self._funds: list[Row] = []
        self._frames: list[Frame] = []
        self._answer: dict[str, str] = {}

    def doctype(self, *_: object) -> None:
        """Refuse every document type: a Flex statement has none, and entities come with it."""
        raise InputError(
            f"{self.name} declares a document type, which a Flex statement never does: it was not read."
            " Download the statement from IBKR again."
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an opening element."""
        if not self._path:
            self.root = tag
        elif tag == "FlexStatement" and not self._statement_depth:
            self._statement_depth = len(self._path) + 1
            self._frames.append(Frame(attributes, first=len(self._rows) + 1))
        elif self._statement_depth:
            self._take(tag, attributes)
        self._path.append(tag)

    def end(self, _: str) -> None:
        """Take a closing element."""
        self._path.pop()
        if len(self._path) < self._statement_depth:
            self._statement_depth = 0

    def words(self, text: str) -> None:
        """Keep the words of an error answer; statements have none."""
        if self.root == "FlexStatementResponse" and self._path:
            self._answer[self._path[-1]] = self._answer.get(self._path[-1], "") + text

    def document(self) -> Document:
        """Return what was read, or refuse a document that is no statement."""
        if self.root == "FlexStatementResponse":
            answer = {key: value.strip() for key, value in self._answer.items()}
            words = (answer.get(key, "") for key in ("Status", "ErrorCode", "ErrorMessage"))
            raise InputError(
                f"{self.name} is no statement but an answer of the Flex web service:"
                f" {' '.join(filter(None, words)) or 'no reason given'}."
                " Request the statement again once that is mended."
            )
        if self.root != "FlexQueryResponse":
            raise InputError(
                f"{self.name} is XML with the first element {self.root}; a Flex statement begins with"
                " FlexQueryResponse. Check that this is the file of a Flex query."
            )
        if not self._frames:
            raise InputError(
                f"{self.name} holds no FlexStatement: the query covered no account. Run it again with an account."
            )
        return Document(tuple(self._rows), tuple(self._funds), tuple(self._frames))

    def _take(self, tag: str, attributes: dict[str, str]) -> None:
        inside, frame = self._path[self._statement_depth :], self._frames[-1]
        section = inside[0] if inside else _SECTION_OF_TAG.get(tag, "")
        frame.sections.add(section or tag)
        if not attributes:
            return
        named = attributes.get("accountId", "").strip()
        account = frame.account if named in _ABSENT else named
        if section in SECTIONS:
            self._rows.append(Row(len(self._rows) + 1, section, tag, account, attributes))
            frame.last = len(self._rows)
        elif section == FUNDS:
            self._funds.append(Row(0, section, tag, account, attributes))
        elif section == CASH_REPORT:
            frame.cash.append(Row(0, section, tag, account, attributes))
