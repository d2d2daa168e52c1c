"""Object lock: until when an S3 store keeps an object from being removed or replaced, whoever asks.

Problem: obstore has no argument for it, and a store that knows no lock takes the request and forgets the headers.

Decision: the headers go with every request of a connection that only puts; obstore signs them. Then the object is
asked for its lock, by a signed link, and an object that has none is an error: whoever asks for a lock relies on it.

Limit: S3 and its like. Google Cloud and Azure lock by the settings of the bucket, which are made there.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from tradelake.errors import StorageError

if TYPE_CHECKING:
    from email.message import Message

    from obstore.store import ObjectStore

LOCK_MODES = ("governance", "compliance")
MODE, UNTIL = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
ALGORITHM = "x-amz-sdk-checksum-algorithm"
CHECKSUM: Literal["SHA256"] = "SHA256"
LINK_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock of one of LOCK_MODES until an instant."""

    mode: str
    until: datetime

    @property
    def headers(self) -> dict[str, str]:
        """What S3 is told; it takes a lock only with a checksum of the content, and some ask for its algorithm too."""
        until = self.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {MODE: self.mode.upper(), UNTIL: until, ALGORITHM: CHECKSUM}


def lock_of(store: "ObjectStore", name: str, where: str) -> Lock | None:
    """Return the lock that an object of an S3 store has; None for none."""
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    import obstore
    from obstore.store import S3Store

    if not isinstance(store, S3Store):
        return None
    try:
        link = obstore.sign(store, "HEAD", name, timedelta(seconds=LINK_SECONDS))
        with urlopen(Request(link, method="HEAD"), timeout=LINK_SECONDS) as answer:
            return _read(answer.headers)
    except (obstore.exceptions.BaseError, URLError, OSError, ValueError) as error:
        raise StorageError(f"{where}: the store does not say what lock it has: {error}.") from error


def _read(headers: "Message") -> Lock | None:
    mode, until = headers.get(MODE), headers.get(UNTIL)
    if mode is None or until is None:
        return None
    return Lock(mode.lower(), datetime.fromisoformat(until).astimezone(UTC))
