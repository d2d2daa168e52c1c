"""The refusal codes of the source: read from its syntax, so that a new one cannot stay without a folder."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tradelake.intake.numbers import SCALE_CODES
from tradelake.intake.words import WORDS
from tradelake.lots.refusals import MESSAGES

SRC = Path(__file__).parents[2] / "src" / "tradelake"
# The findings of `tradelake doctor` are about the machine, those of an audit about the book: neither is about data.
OTHER_ROOMS = ("cli", "book/audits", "store/anchor", "store/files", "store/verify", "store/walk")
# Which argument of a call is a code; None where it can only be given by name, as `code`. A function of one file only
# has the file before it.
CALLS = {
    "BadJson": None,
    "Finding": 0,
    "Problem": 0,
    "Verdict": 2,
    "_Refused": 0,
    "_one_of": 3,
    "_refused": 0,
    "date_rule": 1,
    "reject": 0,
    "says": 0,
    "positions/overrides.py:_problem": 0,
}
# Where a code comes from elsewhere: out of one of the tables below, or of a caller that is in CALLS.
PASSED_ON = {
    ("book/cures.py", "code"),
    ("book/outcome.py", "row['code']"),
    ("book/registry.py", "code"),
    ("intake/numbers.py", "SCALE_CODES[field.reads]"),
    ("intake/rules.py", "code"),
    ("intake/times.py", "code"),
    ("intake/words.py", "code"),
    ("positions/overrides.py", "code"),
}
UNREACHABLE = {
    "ambiguous_chain": "it is found when chains are put together; the event itself is recorded.",
    "closed_past": "it takes a book whose first events were deleted; tests/archive/test_retention.py has it.",
    "invalid_correction": "it stands in for a reason that whoever judges a cure always gives.",
    "other_currency": "it is found when chains are put together; the event itself is recorded.",
    "unknown_chain": "it is found when chains are put together; the event itself is recorded.",
    "unknown_trade": "it is found when chains are put together; the event itself is recorded.",
}


def codes() -> set[str]:
    """Return every code that a row or event can be refused with."""
    tables = {code for code, _ in (*WORDS.values(), *MESSAGES.values())} | set(SCALE_CODES.values())
    return tables | {code for _, code, literal in _given() if literal}


def passed_on() -> set[tuple[str, str]]:
    """Return the files and expressions that give a code which is no literal, other than the code of a problem."""
    return {(file, text) for file, text, literal in _given() if not literal and not text.endswith(".code")}


def _given() -> Iterator[tuple[str, str, bool]]:
    """Yield file, code and whether it is a literal, for each call that is given one."""
    for path in sorted(SRC.rglob("*.py")):
        name = path.relative_to(SRC).as_posix()
        if name.startswith(OTHER_ROOMS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for value in _code_of(node, name):
                    literal = isinstance(value, ast.Constant)
                    yield name, str(value.value) if isinstance(value, ast.Constant) else ast.unparse(value), literal


def _code_of(call: ast.Call, file: str) -> Iterator[ast.expr]:
    function = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    name = next((name for name in (function, f"{file}:{function}") if name in CALLS), None)
    if name is None:
        return
    place = CALLS[name]
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    given = named or ([call.args[place]] if place is not None and len(call.args) > place else [])
    for value in given:
        yield from (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)
