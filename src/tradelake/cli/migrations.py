"""Commands that bring a book of an earlier release to the format of this one."""

from typing import Annotated

import typer

from tradelake.cli.options import Frame, Output, show, takes, target_of
from tradelake.cli.streams import complain, emit

NOTHING = {"pending": "nothing is pending\n", "applied": "no step was applied\n"}


@takes(output=Output)
def migrations(context: typer.Context, output: Output) -> None:
    """List the steps between formats, and which are due.

    The state of a step is applied (when and by whom), made (the book was made with it) or pending. Reading a book with
    pending steps is possible where they allow it; writing to it is when `migrations apply` was run.
    """
    if context.invoked_subcommand is None:
        show(_steps(context), form=output.form, title="migrations")


@takes(output=Output)
def pending(context: typer.Context, output: Output) -> None:
    """List the steps that the book has not had yet."""
    _show(_steps(context).filter(state="pending"), output, "pending")


@takes(output=Output)
def applied(context: typer.Context, output: Output) -> None:
    """List the steps that were applied to the book, when, and by whom."""
    _show(_steps(context).filter(state="applied"), output, "applied")


@takes(output=Output)
def apply(
    context: typer.Context,
    output: Output,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be applied.")] = False,
) -> None:
    """Apply the pending steps: the book gets the newest format.

    Forward only, in order: each step is one transaction together with its entry and the new number, under the writer's
    lease, so that an interrupted run is simply repeated. There is no way back but a backup. Releases before this one do
    not open the book afterwards.
    """
    from tradelake import book

    form = output.form
    done = book.migrate(target_of(context), dry_run=dry_run)
    _show(done, output, "pending")
    if form == "table" and done.height:
        what = "would be applied" if dry_run else "applied"
        complain(f"{what}: {done.height}; the book has format {done['format_version'][-1]}" + " then" * dry_run)


def _steps(context: typer.Context) -> Frame:
    from tradelake import book

    return book.migrations(target_of(context))


def _show(found: Frame, output: Output, which: str) -> None:
    if output.form == "table" and not found.height:
        emit(NOTHING[which])
        return
    show(found, form=output.form, title="migrations")
