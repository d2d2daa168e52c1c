"""The command that shows a book in the browser."""

from typing import Annotated

import typer

from tradelake.cli.options import target_of
from tradelake.cli.streams import complain, emit


def app(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="HOST", help="Where to listen; 127.0.0.1 is this machine alone.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="The port; 0 takes a free one.")] = 0,
    *,
    no_token: Annotated[bool, typer.Option("--no-token", help="Ask for no token; on this machine alone.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open no browser.")] = False,
    include_archive: Annotated[
        bool, typer.Option("--include-archive", help="Read what is archived too, where a page reaches it.")
    ] = False,
) -> None:
    """Show the book in the browser, read only.

    The address is printed, with a token that it asks for. Ctrl-C ends it. Writers of the book are never in its way, and
    what they write is there with the next click. Needs `pip install 'tradelake[app]'`.
    """
    from tradelake.app.serving import address_of, serve

    address = address_of(host=host, port=port, token=not no_token)

    def started() -> None:
        emit(f"{address.url}\n")
        complain("The app is running. Press Ctrl-C to end it.")
        if not no_browser:
            import webbrowser

            webbrowser.open(address.url)

    serve(target_of(context), address, cold=include_archive, started=started)
