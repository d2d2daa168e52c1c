"""What verification found."""

from dataclasses import dataclass

import polars as pl

FINDINGS = pl.Schema({"commit": pl.Int64, "where": pl.String, "key": pl.String, "what": pl.String})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was recorded: the commit where one is known, the table or file, its row, and what."""

    commit: int | None
    where: str
    key: str
    what: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.where, self.key) if part)
        return f"commit {self.commit}: {place}: {self.what}" if self.commit is not None else f"{place}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read again: commits, rows and files, and what is wrong with them, the first commit first.

    `notes` say what could not be looked at, and why that is no fault.
    """

    runs: int
    rows: int
    findings: tuple[Finding, ...] = ()
    files: int = 0
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings in words."""
        return tuple(map(str, self.findings))

    def frame(self) -> pl.DataFrame:
        """Return the findings, one row each: commit, where, key, what."""
        rows = [(f.commit, f.where, f.key, f.what) for f in self.findings]
        return pl.DataFrame(rows, schema=FINDINGS, orient="row")
