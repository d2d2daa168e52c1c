#!/usr/bin/env python3
"""Write the pictures in docs/images: what the commands print on a terminal, of the demo's book.

`make demo` makes that book; then `.venv/bin/python docs/make_images.py` writes the pictures. They hold no address but
the name of the SVG format, so that a page with them loads nothing from elsewhere.
"""

import fcntl
import io
import os
import pty
import shlex
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[1]
BOOK = "data/demo/book"
WIDTH = 100
THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        *((72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65)),
        *((121, 192, 255), (210, 168, 255), (86, 212, 221), (177, 186, 196)),
    ],
)
FRAME = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
PICTURES = {
    "positions.svg": (
        "tradelake import ibkr-flex data/sample_flex.xml",
        "tradelake positions",
    ),
    "history.svg": (
        "tradelake history --account REV-1 --symbol KO --since 2026-04-01 --limit 9",
        "tradelake pnl --account REV-1",
    ),
}


def terminal_output(command: str, *, book: str) -> str:
    """Return what *command* writes to a terminal of WIDTH columns, control sequences included."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, WIDTH, 0, 0))
    words = [sys.executable, "-m", "tradelake.cli", *shlex.split(command)[1:]]
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")} | {"TRADELAKE_BOOK": book}
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux answers so when the other side has closed
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    if process.wait() != 0:
        raise SystemExit(f"{command}: exit code {process.returncode}")
    return b"".join(parts).decode().replace("\r\n", "\n")


def picture(commands: tuple[str, ...], *, book: str) -> str:
    """Return an SVG of a terminal in which the commands ran one after the other."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for number, command in enumerate(commands):
        console.print(Text.assemble("\n" if number else "", ("$ ", "green"), (command, "bold")))
        console.print(Text.from_ansi(terminal_output(command, book=book).rstrip("\n")))
    return console.export_svg(title="tradelake", theme=THEME, code_format=FRAME, unique_id="tradelake")


def main(folder: Path, book: str) -> None:
    """Write every picture to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, commands in PICTURES.items():
        (folder / name).write_text(picture(commands, book=book), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images", BOOK)
