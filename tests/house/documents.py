"""Documents as sessions: their blocks of commands and Python run in order, and what they print is compared.

A block of ```sh or ```python runs. A block of ```text right after it is what it printed, diagnostics included. In
such a block `<words>` stands for what differs from run to run, and a line `...` for any number of lines. A command
that ends with `# exit code 1` is expected to.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tradelake.cli import main

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)$")
EXIT = re.compile(r"\s+# exit code (\d)$")
SHELL_SIGNS = re.compile(r"[|<>;&`]|\$\(")
PLACEHOLDER = re.compile(r"<[a-z ]+>")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, the line that it begins at, and what it is said to print."""

    language: str
    text: str
    line: int
    output: str | None = None


def blocks(document: Path) -> list[Block]:
    """Return the fenced blocks of a document in order, each ```text block with the one that it follows."""
    found: list[Block] = []
    lines = document.read_text(encoding="utf-8").splitlines()
    number, previous_end = 0, -2
    while number < len(lines):
        fence = FENCE.match(lines[number])
        if not fence:
            number += 1
            continue
        end = lines.index("```", number + 1)
        text = "".join(line + "\n" for line in lines[number + 1 : end])
        follows = all(not line.strip() for line in lines[previous_end + 1 : number])
        if fence[1] == "text" and found and follows and found[-1].output is None:
            found[-1] = Block(found[-1].language, found[-1].text, found[-1].line, text)
        else:
            found.append(Block(fence[1], text, number + 1))
        previous_end, number = end, end + 1
    return found


def commands(text: str) -> Iterator[str]:
    """Yield the commands of a block: a line, or several where quotes, a backslash or <<'END' go on."""
    lines = iter(text.splitlines())
    for first in lines:
        command = first
        if "<<'END'" in first:
            for line in lines:
                command += "\n" + line
                if line == "END":
                    break
        else:
            while command.endswith("\\") or not _is_whole(command):
                command += "\n" + next(lines)
        if command.strip() and not command.lstrip().startswith("#"):
            yield command


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def programs(folder: Path) -> Path:
    """Put programs `tradelake` and `python` of this environment into *folder*, and return it."""
    folder.mkdir(exist_ok=True)
    for name, arguments in (("tradelake", " -m tradelake.cli"), ("python", "")):
        program(folder / name, f'"{sys.executable}"{arguments}')
    return folder


def program(path: Path, command: str) -> None:
    """Write a program that runs a command with the arguments that it is given."""
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o755)


class Session:
    """A folder in which a document runs: `tradelake` and `python` are those of this environment."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "document"}
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": f"{programs(folder.parent / 'bin')}{os.pathsep}{os.environ['PATH']}",
            **environment,
        }

    def run(self, block: Block) -> str:
        """Run a block and return what it printed; fail where a command ends otherwise than it is said to."""
        if block.language == "python":
            return self._python(block.text)
        return "".join(self._command(command) for command in commands(block.text))

    def _python(self, text: str) -> str:
        out = io.StringIO()
        with self._here(), contextlib.redirect_stdout(out):
            exec(compile(text, "document", "exec"), self.names)
        return out.getvalue()

    def _command(self, command: str) -> str:
        said = EXIT.search(command)
        code, plain = int(said[1]) if said else 0, EXIT.sub("", command)
        words = shlex.split(plain, comments=True)
        if words[0] == "make":
            # The targets are tested elsewhere; here only that they exist.
            subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, check=True, capture_output=True)
            return ""
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.environment[name] = value
            return ""
        if words[0] == ".":
            return ""
        if words[0] == "tradelake" and not SHELL_SIGNS.search(plain):
            done, text = self._tradelake(words[1:])
        else:
            process = subprocess.run(
                ["sh", "-c", plain],
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            done, text = process.returncode, process.stdout
        assert done == code, f"{plain}: exit code {done}, and {code} was expected\n{text}"
        return text

    def _tradelake(self, words: list[str]) -> tuple[int, str]:
        out = io.StringIO()
        with self._here(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            arguments = [os.path.expandvars(word) for word in words]
            try:
                with mock.patch.object(sys, "argv", ["tradelake", *arguments]):
                    main()
            except SystemExit as exit_:
                return int(exit_.code or 0), out.getvalue()
        return 0, out.getvalue()

    @contextlib.contextmanager
    def _here(self) -> Iterator[None]:
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            with mock.patch.dict(os.environ, self.environment, clear=True):
                yield
        finally:
            os.chdir(before)


def agrees(printed: str, shown: str) -> bool:
    """Tell whether what was printed is what the document shows, placeholders apart."""
    parts = []
    for line in shown.splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            pieces = PLACEHOLDER.split(line.rstrip())
            parts.append(".+?".join(re.escape(piece) for piece in pieces) + r"[ ]*\n")
    return re.fullmatch("".join(parts), printed) is not None
