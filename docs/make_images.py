#!/usr/bin/env python3
"""Write the pictures in docs/images, of the demo's book: commands on a terminal, and the app in a browser.

`make demo` makes that book; then `.venv/bin/python docs/make_images.py` writes the pictures. The drawn ones hold no
address but the name of the SVG format, so that a page with them loads nothing from elsewhere; those of the app need
Chromium (`apt-get install chromium`).
"""

import fcntl
import io
import os
import pty
import shlex
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tradelake.app.serving import address_of, served

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
# of the app: the question, the size of the window, and whether it is dark
SCREENS: dict[str, tuple[str, int, int, bool]] = {
    "app-positions.png": ("page=positions", 1280, 700, False),
    "app-chains.png": ("page=chains&account=REV-1&as_of=2026-06-30", 1280, 820, False),
    "app-phone.png": ("page=pnl", 390, 900, True),
}
PICTURE_BYTES_MAX = 300_000


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


def screens(folder: Path, book: str) -> None:
    """Write pictures of the app to *folder*."""
    from playwright.sync_api import sync_playwright

    address = address_of(host="127.0.0.1", port=0, token=False)
    with served(book, address), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (question, width, height, dark) in SCREENS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
            )
            page.goto(f"{address.origin}/?{question}")
            page.wait_for_selector(".tradelake main h1")
            page.wait_for_load_state("networkidle")
            # The folder of this machine is of no interest to anybody.
            page.locator(".where").evaluate("(where, book) => { where.textContent = book; }", BOOK)
            page.screenshot(path=folder / name)
            if (folder / name).stat().st_size > PICTURE_BYTES_MAX:
                raise SystemExit(f"{name} has more than {PICTURE_BYTES_MAX:,} bytes")
            page.close()
        browser.close()


def main(folder: Path, book: str) -> None:
    """Write the pictures of terminals to *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, commands in PICTURES.items():
        (folder / name).write_text(picture(commands, book=book), encoding="utf-8")


if __name__ == "__main__":
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    main(images, BOOK)
    screens(images, str(ROOT / BOOK))
