"""The overview of all commands, as `tradelake --help` prints it: by what they are for, the daily ones first."""

from typing import Any

from typer.core import TyperGroup

# Sections of the overview, each with its commands; a test says when one is in none.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("init", "import", "record", "mark", "accounts", "app"),
    "Ask": (
        *("positions", "lots", "trades", "matches", "history", "pnl", "bridge", "chains", "chain-positions"),
        *("instruments", "marks", "runs", "refusals", "records", "sql"),
    ),
    "Close the day": (
        *("nightly", "nights", "snapshot", "snapshots", "account-snapshots", "capital", "expiring", "proposals"),
        *("reconcile", "breaks"),
    ),
    "Take out": ("export",),
    "Keep": (
        *("verify", "backup", "restore", "maintain", "fold", "rebuild", "archive", "archives", "retention", "holds"),
        *("migrations",),
    ),
    "Help": ("doctor", "settings", "completion", "scenario", "version"),
}
ORDER = [name for names in SECTIONS.values() for name in names]
SPACE = 6  # characters of a line beside the name of a command and what it does


class Overview(TyperGroup):
    """The application: its commands in the order of `SECTIONS`."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = {name: self.commands[name] for name in sorted(self.commands, key=_place)}

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the sections, with the same column of names in all of them."""
        widest = max(len(name) for name in self.commands)
        for title, names in SECTIONS.items():
            there = [(name, self.commands[name]) for name in self.list_commands(ctx) if name in names]
            words = formatter.width - SPACE - widest
            with formatter.section(title):
                formatter.write_dl([(name.ljust(widest), one.get_short_help_str(words)) for name, one in there])


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)
