"""A server of PostgreSQL that was restarted, or a connection that broke: what is asked again, and for how long.

Problem: a server goes down in the middle of a statement, and is back a few seconds later. Whoever reads or records
should not have to know.

Decision: a lost server is an error of its own. What may be asked twice is asked again for half a minute: a statement
outside a transaction, a reader as a whole, a fold. A commit that got no answer is in doubt: it is looked for by its
link of the hash chain before it is made again (`append.py`). DuckDB finds its connections broken by itself and makes
new ones; the lease is taken again, and nothing is committed under one that was lost (`lease.py`).

Now and then DuckDB takes a broken connection for an answer without rows, and calls that an error of its own. It then
refuses every further statement: the session is ruined, and the book gets another one. Destroying a ruined session would
end the process, so it is kept for as long as that lives.

Limit: a server that is lost is known by what it, or libpq, says of it.
"""

import ctypes
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from tradelake.errors import StorageError

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS, PAUSE_MAX_SECONDS = 0.05, 1.0
LOST_WORDS = (
    "server closed the connection",
    "Unable to connect to Postgres",
    "connection to server",
    "connection is bad",
    "connection is lost",
    "consuming input failed",
    "terminating connection",
    "the database system is",
    "no connection to the server",
    "could not receive data",
    "could not send data",
    "SSL SYSCALL error",
    "SSL connection has been closed",
    'Failed to execute query "ROLLBACK"',
    # DuckDB of what it was doing when its transaction broke.
    "Attempting to fetch from an unsuccessful query result",
    "Current transaction is aborted",
)
IN_DOUBT = (
    "Start it, or look at the network, and do it again: what is known is recognised, and nothing is recorded twice."
)
Result = TypeVar("Result")


class ServerLost(StorageError):
    """The server of the catalog does not answer, or has forgotten us; what was not acknowledged is in doubt."""


def is_lost(text: str) -> bool:
    """Tell whether an error says that the connection to PostgreSQL is gone."""
    return any(words in text for words in LOST_WORDS)


def is_ruined(error: duckdb.Error) -> bool:
    """Tell whether DuckDB refuses all further statements after an error."""
    return isinstance(error, duckdb.InternalException | duckdb.FatalException)


def end(connection: duckdb.DuckDBPyConnection, *, ruined: bool) -> None:
    """Close a connection; one that is *ruined* is never destroyed."""
    if ruined:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
    else:
        connection.close()


def asked_again(action: Callable[[], Result], *, patience: float) -> Result:
    """Run an action until it ends without a lost server, for *patience* seconds after the first loss."""
    deadline, pause = None, PAUSE_SECONDS
    while True:
        try:
            return action()
        except ServerLost:
            now = time.monotonic()
            deadline = now + patience if deadline is None else deadline
            if now >= deadline:
                raise
            time.sleep(pause)
            pause = min(pause * 2, PAUSE_MAX_SECONDS)
