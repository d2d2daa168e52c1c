"""Write what the gallery shows anew: each message.txt, then README.md, and docs/errors.md."""

import tempfile
from pathlib import Path

from tests.problems.gallery import ERRORS, ROOT, Books, folders, page, readme, said


def main() -> None:
    """Write the texts of all folders, and the README and the page made of them."""
    with tempfile.TemporaryDirectory() as place:
        books = Books(Path(place))
        for folder in folders():
            (folder / "message.txt").write_text(said(folder, books).text, encoding="utf-8")
        books.close()
    (ROOT / "README.md").write_text(readme(), encoding="utf-8")
    ERRORS.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
