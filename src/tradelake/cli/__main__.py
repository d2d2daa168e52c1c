"""`python -m tradelake.cli` is `tradelake`."""

from tradelake.cli import main

main()
