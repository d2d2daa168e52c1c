"""The command line as one typer application: `tradelake [--book PATH_OR_URL] VERB`."""

from typing import Annotated

import typer

from tradelake.cli import (
    auditing,
    browsing,
    exporting,
    filing,
    keeping,
    listings,
    marks,
    migrations,
    nightly,
    reconciling,
    recording,
    retention,
    storage,
    writing,
)
from tradelake.cli.completing import BOOK_DEFAULT, completion
from tradelake.cli.doctor import doctor, show_version
from tradelake.cli.examples import with_examples
from tradelake.cli.overview import Overview
from tradelake.cli.settings import settings

SETTINGS = {"help_option_names": ["--help", "-h"], "max_content_width": 100}

app = typer.Typer(
    name="tradelake",
    cls=Overview,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help starts in half the time
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)
proposals = typer.Typer(invoke_without_command=True, subcommand_metavar="[apply ID]")
breaks = typer.Typer(invoke_without_command=True, subcommand_metavar="[show|explain|accept|apply ID]")
trades = typer.Typer(invoke_without_command=True, subcommand_metavar="[show ID]")
accounts = typer.Typer(invoke_without_command=True, subcommand_metavar="[add ACCOUNT ...]")
migrating = typer.Typer(invoke_without_command=True, subcommand_metavar="[pending|applied|apply]")
holds = typer.Typer(invoke_without_command=True, subcommand_metavar="[place|release HOLD]")
retaining = typer.Typer(invoke_without_command=True, subcommand_metavar="[apply]")


@app.callback()
def tradelake(
    context: typer.Context,
    book: Annotated[
        str,
        typer.Option(
            envvar="TRADELAKE_BOOK",
            metavar="PATH_OR_URL",
            help="The book: a folder, duckdb:FOLDER, or postgresql://...",
        ),
    ] = BOOK_DEFAULT,
) -> None:
    """Keep a trade log on DuckLake, with exact lots, positions and profit and loss."""
    context.obj = book


app.command("init")(writing.init)
app.command("import")(recording.import_files)
app.command("record")(recording.record)
app.command("mark")(marks.mark)
accounts.callback()(listings.accounts)
accounts.command("add")(writing.add_account)
app.add_typer(accounts, name="accounts")
trades.callback()(listings.trades)
trades.command("show")(auditing.show_trade)
app.add_typer(trades, name="trades")
for listing in (
    listings.positions,
    listings.lots,
    listings.matches,
    listings.history,
    listings.pnl,
    listings.bridge,
    listings.chains,
    listings.chain_positions,
    marks.marks,
    nightly.snapshots,
    nightly.account_snapshots,
    nightly.capital,
    nightly.expiring,
    nightly.nights,
    listings.instruments,
    listings.runs,
    listings.refusals,
    listings.records,
    storage.archives,
    listings.sql,
):
    app.command(listing.__name__.replace("_", "-"))(listing)
proposals.callback()(nightly.proposals)
proposals.command("apply")(nightly.apply_proposal)
app.add_typer(proposals, name="proposals")
app.command("nightly")(nightly.nightly)
app.command("snapshot")(nightly.snapshot)
app.command("maintain")(keeping.maintain)
app.command("reconcile")(reconciling.reconcile)
breaks.callback()(reconciling.breaks)
breaks.command("list")(reconciling.breaks)
breaks.command("show")(reconciling.show_break)
breaks.command("explain")(reconciling.explain)
breaks.command("accept")(reconciling.accept)
breaks.command("apply")(reconciling.apply)
app.add_typer(breaks, name="breaks")
app.command("app")(browsing.app)
app.command("verify")(auditing.verify)
app.command("backup")(keeping.backup)
app.command("restore")(keeping.restore)
app.command("archive")(storage.archive)
export = typer.Typer(help="Write the book for people and other programs.", no_args_is_help=True)
export.command("xlsx")(filing.export_xlsx)
export.command("csv")(filing.export_csv)
export.command("parquet")(filing.export_parquet)
export.command("tax-lots")(filing.export_tax_lots)
export.command("report")(filing.export_report)
export.command("postgres")(exporting.export_postgres)
app.add_typer(export, name="export")
retaining.callback()(retention.retention)
retaining.command("apply")(retention.apply_retention)
app.add_typer(retaining, name="retention")
holds.callback()(retention.holds)
holds.command("list")(retention.holds)
holds.command("place")(retention.place_hold)
holds.command("release")(retention.release_hold)
app.add_typer(holds, name="holds")
migrating.callback()(migrations.migrations)
migrating.command("pending")(migrations.pending)
migrating.command("applied")(migrations.applied)
migrating.command("apply")(migrations.apply)
app.add_typer(migrating, name="migrations")
app.command("fold")(writing.fold)
app.command("rebuild")(writing.rebuild)
app.command("scenario")(writing.scenario)
app.command("settings")(settings)
app.command("doctor")(doctor)
app.command("completion")(completion)
app.command("version")(show_version)
with_examples(app)
