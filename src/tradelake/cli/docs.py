"""Write the command reference from the application itself: `python -m tradelake.cli.docs > docs/cli.md`."""

import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

INTRODUCTION = """# The command line

<!-- Written by `python -m tradelake.cli.docs > docs/cli.md`; a test compares the two. -->

`tradelake [--book PATH_OR_URL] COMMAND ...`: each command is one method of the book.

Data goes to standard output, diagnostics and progress to standard error. Listings print a table for people;
`--json` prints an array of objects and `--csv` lines, both with every column, decimals as plain text,
instants in UTC as ISO-8601 with `Z`. A missing value is `·` in tables, `null` in JSON, empty in CSV.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | done, but problems were found: rejected rows, conflicts, differences |
| 2 | misuse: a wrong command line, no such book, a file or query that cannot be read |
"""


def reference() -> str:
    """Return the whole reference as Markdown."""
    from tradelake.cli.app import app

    root: Any = get_command(app)
    parts = [INTRODUCTION, *_options("Options before the command", root)]
    for name, command in walk(root):
        parts += _section(name, command)
    return "\n".join(parts)


def walk(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command below *group* as (its words, the click command), in the order of the help."""
    for name, command in group.commands.items():
        words = f"{prefix} {name}".strip()
        yield words, command
        if hasattr(command, "commands"):
            yield from walk(command, words)


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    words = (a.metavar + ("..." if a.nargs == -1 else "") for a in arguments)
    usage = " ".join(["tradelake", name, "[OPTIONS]", *words])
    yield f"\n## {name}\n\n    {usage}\n"
    yield " ".join(command.help.split("\n\n")[0].split()) + "\n"
    yield from (" ".join(part.split()) + "\n" for part in command.help.split("\n\n")[1:])
    for argument in arguments:
        yield f"- `{argument.metavar}`: {argument.help}"
    if arguments:
        yield ""
    yield from _options("", command)
    if command.epilog:
        examples = [line.removeprefix("  ") for line in command.epilog.splitlines()[2:]]
        yield "\n```text\n" + "\n".join(examples) + "\n```"


def _options(title: str, command: Any) -> Iterator[str]:
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    if not options:
        return
    if title:
        yield f"{title}:\n"
    yield "| option | meaning |\n|---|---|"
    for option in options:
        value = "" if option.is_flag else f" {option.metavar}"
        notes = [option.help]
        if option.default not in (None, False):
            notes.append(f"Default: `{option.default}`.")
        if option.envvar:
            notes.append(f"Environment: `{option.envvar}`.")
        required = " (required)" if option.required else ""
        yield f"| `{', '.join(option.opts)}{value}`{required} | {' '.join(notes)} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
