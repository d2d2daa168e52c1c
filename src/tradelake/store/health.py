"""The health of an open book: the server of its catalog, the rights of this role, the lease, the place of its data.

Each finding is a line: what was looked at, what there was and, where that is a problem, what to do. Nothing is left
behind: what is written to try a place is removed again.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradelake.errors import TradelakeError
from tradelake.store.catalog import Catalog
from tradelake.store.fold import read_standing
from tradelake.store.health_local import local_leases, stranger, tail
from tradelake.store.lease import ADVISORY_KEY, NIGHT_KEY
from tradelake.store.place import S3Place
from tradelake.store.target import without_password

if TYPE_CHECKING:
    import psycopg

SERVERS = range(15, 19)
CLOCK_TOLERANCE = timedelta(minutes=5)
FREE_BYTES_MIN = 1 << 30
PREFIX = "ducklake_"
WRITES = "may write"
RIGHTS = (
    "SELECT current_user, count(*), count(*) FILTER (WHERE has_table_privilege(oid, 'SELECT')), "
    "count(*) FILTER (WHERE pg_has_role(relowner, 'USAGE')), has_schema_privilege('public', 'CREATE'), "
    "min(pg_get_userbyid(relowner)) FROM pg_class "
    f"WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND starts_with(relname, '{PREFIX}')"
)
HOLDERS = (
    "SELECT coalesce(a.usename, '?'), coalesce(host(a.client_addr), 'this machine'), l.pid, a.backend_start "
    "FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database "
    "WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database() "
    "AND (l.classid::bigint << 32) + l.objid::bigint = %s"
)


@dataclass(frozen=True, slots=True)
class Health:
    """One line: what was looked at, what there was and, where that is a problem, what to do."""

    topic: str
    text: str
    problem: bool = False


def health(catalog: Catalog, *, now: datetime) -> Iterator[Health]:
    """Yield what there is to say of a book that is open; *now* is compared with the clocks of its servers."""
    writes = True
    if catalog.target.kind == "postgres":
        try:
            import psycopg
        except ImportError:
            yield Health("psycopg", "is missing. Run: pip install 'tradelake[postgres]'", problem=True)
            return
        try:
            with psycopg.connect(catalog.target.catalog, autocommit=True) as connection:
                yield from _server(connection, now)
                role = _role(connection)
                writes = not role.problem and role.text.endswith(WRITES)
                yield role
                yield from _leases(connection)
        except psycopg.Error as error:
            said = without_password(str(error)).strip()
            yield Health("postgresql", f"{said}. Look at the server and the URL.", problem=True)
    else:
        writes = os.access(Path(catalog.target.catalog).parent, os.W_OK)
        yield from (Health(topic, text) for topic, text in local_leases(catalog.target))
        if text := stranger(catalog.target):
            yield Health("catalog lock", text, problem=True)
    if isinstance(catalog.place, S3Place):
        yield from _bucket(catalog.place, catalog.data_folder, now, writes=writes)
    else:
        yield from _folder(Path(catalog.data_folder), writes=writes)
    yield from _fold(catalog)


def _fold(catalog: Catalog) -> Iterator[Health]:
    try:
        text, far = tail(read_standing(catalog))
    except TradelakeError:
        return  # where it cannot be read, the place of the data or the line of the book has said why
    yield Health("fold", text, problem=far)


def _server(connection: "psycopg.Connection", now: datetime) -> Iterator[Health]:
    number, name, commit, clock = _row(
        connection,
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'), "
        "current_setting('synchronous_commit'), clock_timestamp()",
    )
    if number // 10_000 in SERVERS:
        yield Health("postgresql", name)
    else:
        told = f"{SERVERS[0]} to {SERVERS[-1]}"
        yield Health("postgresql", f"{name}; this release is tested with {told}. Move to one of these.", problem=True)
    if commit == "off":
        advice = "Set it on for this database: ALTER DATABASE ... SET synchronous_commit = on."
        yield Health("commits", f"synchronous_commit is off: commits could be lost. {advice}", problem=True)
    yield from _clock("the server of the catalog", clock, now)


def _clock(whose: str, clock: datetime, now: datetime) -> Iterator[Health]:
    if abs(clock - now) > CLOCK_TOLERANCE:
        text = f"{now:%Y-%m-%d %H:%M} UTC here, {clock:%Y-%m-%d %H:%M} at {whose}. Set the one that is wrong."
        yield Health("clocks", text, problem=True)


def _role(connection: "psycopg.Connection") -> Health:
    """Return what this role may do: read, or write, which takes the tables of the catalog as their owner."""
    role, tables, readable, owned, creates, owner = _row(connection, RIGHTS)
    if readable < tables:
        text = (
            f"{role} may not read {tables - readable} of the {tables} tables of the catalog. Its owner runs: "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}."
        )
        return Health("role", text, problem=True)
    if owned == tables and creates:
        return Health("role", f"{role} {WRITES}")
    if owned == 0:
        return Health("role", f"{role} may read; {owner} writes")
    lacks = f"does not own {tables - owned} of {tables} tables" if owned < tables else "may not make tables"
    advice = "Let one role own all of them, and have CREATE on the schema public."
    return Health("role", f"{role} {lacks}: it cannot write. {advice}", problem=True)


def _leases(connection: "psycopg.Connection") -> Iterator[Health]:
    for topic, key in (("lease", ADVISORY_KEY), ("night", NIGHT_KEY)):
        held = connection.execute(HOLDERS, (key,)).fetchone()
        text = "free"
        if held is not None:
            since = f" since {held[3]:%Y-%m-%d %H:%M} UTC" if held[3] else ""
            text = f"held by {held[0]} at {held[1]}, process {held[2]} of the server{since}"
        yield Health(topic, text)


def _row(connection: "psycopg.Connection", query: str) -> tuple[Any, ...]:
    connection.execute("SET TimeZone = 'UTC'")
    return connection.execute(query.encode()).fetchone() or ()


def _bucket(place: S3Place, address: str, now: datetime, *, writes: bool) -> Iterator[Health]:
    try:
        written_at = place.tried(writes=writes)
    except TradelakeError as error:
        yield Health("data", str(error), problem=True)
        return
    if written_at is None:
        yield Health("data", f"{address} can be listed and read")
        return
    yield Health("data", f"{address} can be listed, read and written")
    yield from _clock("the server of the data", written_at, now)


def _folder(folder: Path, *, writes: bool) -> Iterator[Health]:
    if not folder.is_dir():
        yield Health("data", f"There is no folder {folder}. Bring the data of the book back to it.", problem=True)
        return
    free = shutil.disk_usage(folder).free
    what, problem = f"{folder}, {free >> 20:,} MiB free", False
    if writes:
        try:
            with tempfile.NamedTemporaryFile(dir=folder):
                what += ", can be written"
        except OSError as error:
            what, problem = f"{folder} cannot be written: {error.strerror}. Make it writable, or make room.", True
    if not problem and free < FREE_BYTES_MIN:
        what, problem = f"{what}. Make room: a rebuild writes all derived tables anew.", True
    yield Health("data", what, problem=problem)
    device = folder.stat().st_dev
    apart = [each for each in (*folder.glob("*/"), *folder.glob("*/*/")) if each.stat().st_dev != device]
    if apart:
        text = (
            f"{apart[0]} is on another file system than {folder}: what is written there is not on disk when a commit "
            "is answered. Keep all of the data on one."
        )
        yield Health("file system", text, problem=True)
