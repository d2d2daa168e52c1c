"""The only room that knows DuckDB and DuckLake: catalog, append, scan, fold, query."""

from tradelake.store.append import Appended, Batch, Head, append, read_head
from tradelake.store.catalog import Catalog
from tradelake.store.fold import Checkpoint, Derived, Standing, read_standing, replace_derived
from tradelake.store.index import KeyIndex
from tradelake.store.maintain import Maintained, Upkeep, maintain
from tradelake.store.opening import create_catalog, open_catalog
from tradelake.store.query import PAST_SUFFIX, PastCall, check_read_only
from tradelake.store.references import References
from tradelake.store.relation import Relation, relation
from tradelake.store.target import Target, parse_target
from tradelake.store.verify import Verified, verify_runs

__all__ = [
    "PAST_SUFFIX",
    "Appended",
    "Batch",
    "Catalog",
    "Checkpoint",
    "Derived",
    "Head",
    "KeyIndex",
    "Maintained",
    "PastCall",
    "References",
    "Relation",
    "Standing",
    "Target",
    "Upkeep",
    "Verified",
    "append",
    "check_read_only",
    "create_catalog",
    "maintain",
    "open_catalog",
    "parse_target",
    "read_head",
    "read_standing",
    "relation",
    "replace_derived",
    "verify_runs",
]
