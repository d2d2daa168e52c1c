"""What a peer is: its name, what it does and does not do, how it is installed, and how it is run."""

import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import child
from bench.child import Numbers
from bench.peers.environment import debian_program, environment

# fifo: profit of each pair, in cents and exact. flat: profit of pairs that end flat, where every method agrees.
# quantity: what is held only. What is compared is gross where a peer knows no charges.
Compared = Literal["fifo", "flat", "quantity", "nothing"]
SCRIPTS = Path(__file__).parent / "scripts"
TIMEOUT = 1_800


@dataclass(frozen=True)
class Peer:
    """A program that a user might take instead.

    `packages` are pinned requirements from PyPI for its own environment, or `debian` is the package that has its
    program; with neither it runs in this one. `script` is run in it with a folder and the files of the fills, and
    writes `answer.parquet` or `answer.csv` there: account, contract, cents, quantity; and where it rounds on its way,
    by how many cents that may move the profit of a pair at most, `within`, as follows from its fills.
    """

    name: str
    script: str
    title: str
    computes: str
    lacks: str
    compared: Compared
    largest: int = 10**9
    gross: bool = False
    packages: Sequence[str] = ()
    debian: str | None = None

    def prepare(self) -> None:
        """Install it where it is not there yet; raises NotInstalled with the reason."""
        if self.packages:
            environment(self.name, self.packages)
        if self.debian:
            debian_program(self.debian)

    def measure(self, folder: Path, fills: Sequence[str]) -> Numbers:
        """Run its script, and return what it printed."""
        python = environment(self.name, self.packages) if self.packages else environment("", ())
        command = [str(python), str(SCRIPTS / f"{self.script}.py"), str(folder), *fills]
        # A peer in this environment may use what the tests have; another one sees nothing of this project.
        variables = {"PYTHONPATH": "" if self.packages else os.pathsep.join(sys.path)}
        found = child.run_command(command, timeout=TIMEOUT, environment=variables)
        return {"python": platform.python_version()} | found
