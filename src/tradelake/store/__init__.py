"""The only room that knows DuckDB and DuckLake: catalog, append, scan, fold, query."""

from tradelake.store.anchor import Anchor, anchor_of, check_anchor
from tradelake.store.append import append, read_head
from tradelake.store.backup import BackedUp, BackupManifest, back_up, manifest_kind, read_manifest
from tradelake.store.batch import Appended, Batch, Head
from tradelake.store.catalog import Catalog
from tradelake.store.derived import Derived
from tradelake.store.files import check_files
from tradelake.store.findings import Finding, Verified
from tradelake.store.fold import Checkpoint, Standing, read_standing, replace_derived
from tradelake.store.from_backup import restore_backup, restored_target
from tradelake.store.index import KeyIndex
from tradelake.store.maintain import Maintained, Upkeep, maintain
from tradelake.store.migrate import Applied, migrate, steps
from tradelake.store.opening import create_catalog, open_catalog
from tradelake.store.query import PAST_SUFFIX, PastCall, check_read_only
from tradelake.store.references import References
from tradelake.store.relation import Relation, relation
from tradelake.store.target import Target, parse_target
from tradelake.store.verify import verify_runs

__all__ = [
    "PAST_SUFFIX",
    "Anchor",
    "Appended",
    "Applied",
    "BackedUp",
    "BackupManifest",
    "Batch",
    "Catalog",
    "Checkpoint",
    "Derived",
    "Finding",
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
    "anchor_of",
    "append",
    "back_up",
    "check_anchor",
    "check_files",
    "check_read_only",
    "create_catalog",
    "maintain",
    "manifest_kind",
    "migrate",
    "open_catalog",
    "parse_target",
    "read_head",
    "read_manifest",
    "read_standing",
    "relation",
    "replace_derived",
    "restore_backup",
    "restored_target",
    "steps",
    "verify_runs",
]
