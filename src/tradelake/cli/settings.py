"""The command that lists settings."""

import typer

from tradelake.cli.options import Output, show, takes, target_of
from tradelake.cli.streams import complain


@takes(output=Output)
def settings(context: typer.Context, output: Output) -> None:
    """List every setting, and where it comes from.

    An option of a command goes before a variable (TRADELAKE_SECTION_NAME), a variable before tradelake.toml (in the
    folder of the book, or the file that TRADELAKE_CONFIG names), and that before the default. What else of the
    environment is read and set is listed too; a secret shows only that it is set. Exit code 1: a value is wrong.
    """
    form = output.form
    from tradelake.jobs.settings import listed, problems_of

    target = target_of(context)
    show(listed(target), form=form, title="settings")
    problems = problems_of(target)
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(1)
