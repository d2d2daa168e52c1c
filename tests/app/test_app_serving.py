"""How the app starts, refuses to start, and ends: on the command line, as a user does it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tradelake.app.serving import Address, address_of, is_loopback
from tradelake.errors import InputError

pytestmark = pytest.mark.timeout(180)


def command(book: object, *words: str) -> list[str]:
    return [sys.executable, "-m", "tradelake.cli", "--book", str(book), "app", "--no-browser", *words]


def said(book: object, *words: str) -> tuple[int, str]:
    done = subprocess.run(command(book, *words), capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_cleanly(empty, ending):
    with subprocess.Popen(command(empty), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            url = process.stdout.readline().strip()
            found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?access_token=([\w-]{16,})", url)
            assert found, process.stderr.read()
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as answer:
                assert "marimo" in answer.read().decode()
            # Other users of the machine see every command line.
            assert not any(found[2].encode() in _read(line) for line in Path("/proc").glob("[0-9]*/cmdline"))
            process.send_signal(ending)
            assert process.wait(30) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()
    assert not _answers(int(found[1]))


def test_it_does_not_outlive_the_command_whatever_ends_that(empty):
    with subprocess.Popen(command(empty), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline().partition("127.0.0.1:")[2].partition("/")[0])
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while _answers(port):
        assert time.monotonic() < deadline, "the app is still there"
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        # The process has ended meanwhile.
        return b""


def test_what_cannot_start_says_why_in_one_paragraph(tmp_path, empty):
    code, text = said(tmp_path / "nowhere")
    assert code == 2
    assert text.startswith("There is no book at")
    code, text = said(empty, "--host", "0.0.0.0", "--no-token")
    assert code == 2
    assert "does not start there without a token" in text
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, text = said(empty, "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "Name another --port" in text


def test_without_marimo_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(InputError, match=re.escape("pip install 'tradelake[app]'")):
        address_of(host="127.0.0.1", port=0, token=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_only_loopback_may_do_without_a_token(host):
    assert not is_loopback(host)
    with pytest.raises(InputError, match="without a token"):
        address_of(host=host, port=0, token=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_is_known(host):
    assert is_loopback(host)


def test_every_start_has_a_token_of_its_own_that_no_text_shows():
    first, second = (address_of(host="127.0.0.1", port=0, token=True) for _ in range(2))
    assert first.token != second.token
    assert first.token not in repr(first)
    assert Address("::1", 1, "t").url == "http://[::1]:1/?access_token=t"


def test_the_library_starts_without_the_app():
    code = "import sys, tradelake, tradelake.cli.app; sys.exit(any(m.split('.')[0] == 'marimo' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


def test_the_pictures_of_the_app_are_there_and_small():
    root = Path(__file__).parents[2]
    text = (root / "docs" / "app.md").read_text()
    names = re.findall(r"\(images/(app-[\w-]+\.png)\)", text)
    assert len(names) == 3
    for name in names:
        picture = (root / "docs" / "images" / name).read_bytes()
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 300_000
