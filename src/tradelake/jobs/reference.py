"""Write the reference of settings: `python -m tradelake.jobs.reference > docs/configuration.md`."""

import sys

from tradelake.jobs.configuration import SETTINGS
from tradelake.jobs.settings import listed

# One for each setting: what it says, and a value as it is written in tradelake.toml.
MEANINGS = {
    "nightly.apply": (
        "[what a night books](nightly.md#settings-and-rules) without asking; `--rule` adds to it",
        '`["expire", "fee"]`',
    ),
    "nightly.reports": ("folder of the reports, seen from that of the book", '`"/srv/reports"`'),
    "maintenance.keep_versions_days": ("how long old versions of the catalog are kept", "`14`"),
    "maintenance.keep_files_days": ("how long files are kept that no version needs", "`2`"),
    "maintenance.keep_orphans_hours": ("how long files of writers that were killed are kept", "`6`"),
    "retention.hot": ("[how long months stay](retention.md) in the book", '`"24 months"`'),
    "retention.cold": ("how long they are kept at all", '`"7 years"`'),
    "retention.trade_log": ("the same for the log alone", '`"10 years"`'),
    "retention.source_records": ("the same for the broker's own rows alone", '`"7 years"`'),
    "retention.lock": ("object lock of archives: `governance` or `compliance`", '`"compliance"`'),
}
# The default of what has no value of its own.
WITHOUT = {
    "nightly.apply": "nothing",
    "retention.trade_log": "as `cold`",
    "retention.source_records": "as `cold`",
    "retention.lock": "none",
}
INTRODUCTION = """# Configuration

<!-- Written by `python -m tradelake.jobs.reference > docs/configuration.md`; a test compares the two. -->

What jobs do by themselves is said in `tradelake.toml` in the folder of the book, or in variables. An option of a
command goes before a variable, a variable before the file, and that before the default; an empty variable is as good as
none. `tradelake settings` lists every setting with its value and where that comes from, and `tradelake doctor` says
which are wrong. A value that is wrong is refused by the command that needs it, and named: by its variable, or by its
place in the file.

A book on a server has no folder. There `TRADELAKE_CONFIG` names the file (for a local book instead of its own one), and
`reports` is seen from the folder of that file; without it no reports are kept, unless `reports` or `--report` says
where.
"""
ENVIRONMENT = """
## Other variables

| variable | what for |
|---|---|
| `TRADELAKE_BOOK` | the book, where `--book` is not given |
| `TRADELAKE_CONFIG` | the file with the settings |
| `NO_COLOR` | set to anything: no colours on a terminal. `TERM=dumb` does the same |
| `COLUMNS` | width of listings on a terminal, where it is to be another than the terminal's own |
| `AWS_…` | [data](operations.md#data-on-s3), archives and backups on S3 |
| `GOOGLE_…`, `AZURE_…` | archives and backups there, as the libraries of these services have it |
| `PGPASSWORD`, `PGPASSFILE`, `PGSSLMODE` and the rest of libpq | catalogs and twins on PostgreSQL |
| `XDG_CACHE_HOME` | copies of archived files for books on a server; the compiled kernel |
| `NUMBA_CACHE_DIR` | the compiled kernel alone |
"""


def page() -> str:
    """Return the reference of settings as Markdown: a table for each section of the file, and the other variables."""
    rows = {row["setting"]: row for row in listed("book").iter_rows(named=True)}
    parts = [INTRODUCTION]
    for section, names in SETTINGS.items():
        parts.append(
            f"\n## [{section}]\n\n| setting | variable | what it says | example | default |\n|---|---|---|---|---|\n"
        )
        for name in names:
            key = f"{section}.{name}"
            meaning, example = MEANINGS[key]
            value = rows[key]["value"]
            default = f"`{value}`" if value is not None else WITHOUT.get(key, "for ever")
            if names[name] == "list":
                example = f"{example}; as a variable words with commas"
            parts.append(f"| `{name}` | `{rows[key]['variable']}` | {meaning} | {example} | {default} |\n")
    return "".join(parts) + ENVIRONMENT


if __name__ == "__main__":
    sys.stdout.write(page())
