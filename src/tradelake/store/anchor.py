"""The head of the chain, to be signed and kept elsewhere: who rewrites the book cannot rewrite that."""

import json
from dataclasses import asdict, dataclass

from tradelake.errors import InputError
from tradelake.store.append import read_head
from tradelake.store.catalog import Catalog
from tradelake.store.findings import Finding
from tradelake.tables import BOOK_SETTINGS, IMPORT_RUNS


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a book stood: its id, the last commit with its link of the chain and its instant, the last event."""

    book_id: str
    import_run_id: int
    sequence: int
    chain_hash: str
    recorded_at: str

    def text(self) -> str:
        """Return the anchor as JSON, one field a line."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @staticmethod
    def read(text: str, *, name: str) -> "Anchor":
        """Return the anchor that a JSON text is; InputError for another text."""
        try:
            fields = json.loads(text)
            anchor = Anchor(**fields)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"{name} is no anchor: {error}. `tradelake verify --export-head FILE` writes one."
            ) from error
        numbers = (anchor.import_run_id, anchor.sequence)
        texts = (anchor.book_id, anchor.chain_hash, anchor.recorded_at)
        if not all(type(n) is int for n in numbers) or not all(isinstance(t, str) for t in texts):
            raise InputError(f"{name} is no anchor: a field has another type than `tradelake verify` writes.")
        return anchor


def anchor_of(catalog: Catalog) -> Anchor:
    """Return where the book stands now."""
    head = read_head(catalog)
    return Anchor(
        book_id=catalog.settings().get("book_id", ""),
        import_run_id=head.import_run_id,
        sequence=head.sequence,
        chain_hash=head.chain_hash,
        recorded_at=head.recorded_at.isoformat(),
    )


def check_anchor(catalog: Catalog, anchor: Anchor) -> list[Finding]:
    """Return how the chain differs from an anchor of it; the chain itself is verified elsewhere."""
    number = anchor.import_run_id
    if catalog.settings().get("book_id") != anchor.book_id:
        return [Finding(None, BOOK_SETTINGS.name, "book_id", f"the anchor is of another book: {anchor.book_id}")]
    if number == 0:
        return []
    rows = catalog.frame(f"SELECT * FROM {IMPORT_RUNS.name} WHERE import_run_id = ?", [number])
    if rows.height != 1:
        what = f"the commit of the anchor is there {rows.height} times"
        return [Finding(number, IMPORT_RUNS.name, str(number), what)]
    row = rows.row(0, named=True)
    told = {
        "chain_hash": (row["chain_hash"], anchor.chain_hash),
        "last_sequence": (row["last_sequence"], anchor.sequence),
        "recorded_at": (row["recorded_at"].isoformat(), anchor.recorded_at),
    }
    return [
        Finding(number, IMPORT_RUNS.name, str(number), f"its {name} is {ours}, the anchor has {theirs}")
        for name, (ours, theirs) in told.items()
        if ours != theirs
    ]
