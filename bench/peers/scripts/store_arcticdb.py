"""ArcticDB on LMDB: the fills as one versioned frame, sorted by time, and questions to it."""

import arcticdb
import pandas as pd
from common import FILES, FOLDER, answer, report, timed


def main() -> None:
    """Write, append, and ask."""
    frames = [pd.read_parquet(file).set_index("at") for file in FILES]
    library = arcticdb.Arctic(f"lmdb://{FOLDER}/arctic?map_size=64GB").create_library("trades")

    def write() -> None:
        library.write("fills", frames[0])
        for frame in frames[1:]:
            library.append("fills", frame)

    def held(until: pd.Timestamp | None = None) -> pd.DataFrame:
        span = (None, until) if until is not None else None
        read = library.read("fills", date_range=span, columns=["account", "contract", "side", "quantity"]).data
        units = read["side"] * read["quantity"]
        return units.groupby([read["account"], read["contract"]], observed=True).sum()

    def month() -> pd.DataFrame:
        asked = arcticdb.QueryBuilder()
        asked = asked[asked["account"] == "ACC-003"]
        span = (pd.Timestamp("2024-03-01 05:00Z"), pd.Timestamp("2024-04-01 04:00Z"))
        return library.read("fills", date_range=span, query_builder=asked).data

    written, _ = timed(write)
    now, units = timed(held)
    past, _ = timed(lambda: held(pd.Timestamp("2024-03-01 05:00Z")))
    asked, _ = timed(month)
    answer(((*pair, count) for pair, count in units.items()), "quantity")
    report(
        arcticdb.__version__,
        ("write all fills", written, "import"),
        ("positions now", now, "positions now"),
        ("positions as of a past date", past, "positions as of a past date"),
        ("trades of one account in a month", asked, "trades of one account in a month"),
    )


main()
