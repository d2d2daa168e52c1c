"""`python -m tradelake` is `tradelake`."""

from tradelake.cli import main

main()
