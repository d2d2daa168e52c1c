"""Connected groups: the accounts and symbols that have to be folded together, because something links them.

A *family* is one account and symbol, the unit in which derived rows are stored. Symbols that contracts or corporate
actions link have one *root*, in every account; a *node* is one account and root. Events that move lots link nodes of
several accounts into one *group*.
"""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import polars as pl

from tradelake.book.reach import Reach

FAMILY = ["account_id", "symbol"]
NODE = ["account_id", "root"]
Node = tuple[str, str]
T = TypeVar("T", bound=Hashable)
NODE_SCHEMA = pl.Schema({"account_id": pl.String, "root": pl.String})


class Roots:
    """The symbols that are linked in every account, each with the first of its group as root."""

    def __init__(self, instruments: pl.DataFrame, reaches: Iterable[Reach] = ()) -> None:
        links = [reach.symbols for reach in reaches if reach.everywhere or reach.kind == "subscribe"]
        self._groups = linked_symbols(instruments, [link for link in links if len(link) > 1])
        self._roots = {symbol: min(group) for group in self._groups for symbol in group}
        self.frame = pl.DataFrame(
            list(self._roots.items()), schema={"symbol": pl.String, "root": pl.String}, orient="row"
        )

    def of(self, symbols: Iterable[str]) -> set[str]:
        """Return the roots of some symbols."""
        return {self._roots.get(symbol, symbol) for symbol in symbols}

    def symbols(self, roots: Iterable[str]) -> set[str]:
        """Return all symbols that have one of the roots."""
        wanted = set(roots)
        return wanted.union(*(group for group in self._groups if min(group) in wanted))

    def nodes(self, families: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with the `root` of each symbol beside it."""
        return families.join(self.frame, on="symbol", how="left", maintain_order="left").with_columns(
            pl.coalesce("root", "symbol").alias("root")
        )

    def families(self, nodes: pl.DataFrame) -> pl.DataFrame:
        """Return nodes as families: one row for every symbol of their root, other columns kept."""
        linked = nodes.join(self.frame, on="root")
        plain = nodes.join(self.frame.select("root").unique(), on="root", how="anti")
        return pl.concat([plain.with_columns(pl.col("root").alias("symbol")), linked], how="diagonal")


def linked_symbols(instruments: pl.DataFrame, links: Iterable[Iterable[str]] = ()) -> list[set[str]]:
    """Return the groups of symbols that contracts link with what they deliver, or *links* with each other."""
    options = instruments.filter(pl.col("asset_type") == "OPTION")
    stocks = instruments.filter(pl.col("asset_type") != "OPTION").select(
        pl.col("instrument_id").alias("underlying_instrument_id"), pl.col("symbol").alias("delivered")
    )
    named_otherwise = (
        options.join(stocks, on="underlying_instrument_id")
        .filter(pl.col("symbol") != pl.col("delivered"))
        .select("symbol", "delivered")
        .unique(maintain_order=True)
    )
    found = [set(link) for link in links]
    found += [set(pair) for pair in named_otherwise.iter_rows()]
    adjusted = options.drop_nulls("deliverable").select("symbol", "deliverable")
    symbols = dict(stocks.iter_rows()) if adjusted.height else {}
    for symbol, deliverable in adjusted.iter_rows():
        parts = [part["instrument_id"] for part in json.loads(deliverable) if "instrument_id" in part]
        found.append({symbol, *(symbols.get(part, part) for part in parts)})
    return [group for group in joined(found) if len(group) > 1]


def joined(links: Iterable[set[str]]) -> list[set[str]]:
    """Return sets that share nothing, made of *links*: those that share a member are joined."""
    union = _Union[str]()
    for link in links:
        union.join(link)
    groups: dict[str, set[str]] = defaultdict(set)
    for member in union.members():
        groups[union.root(member)].add(member)
    return list(groups.values())


class _Union(Generic[T]):
    """Disjoint sets, joined one after the other."""

    def __init__(self) -> None:
        self._parents: dict[T, T] = {}

    def root(self, member: T) -> T:
        while (parent := self._parents.setdefault(member, member)) != member:
            self._parents[member] = self._parents[parent]
            member = parent
        return member

    def join(self, members: Iterable[T]) -> None:
        first = None
        for member in members:
            if first is None:
                first = self.root(member)
            self._parents[self.root(member)] = first
            first = self.root(first)

    def members(self) -> list[T]:
        return list(self._parents)


class Nodes:
    """The nodes that a book has, and which of them an event reaches."""

    def __init__(self, known: Iterable[Node], roots: Roots) -> None:
        self._roots = roots
        self._by_account: dict[str, set[str]] = defaultdict(set)
        self._by_root: dict[str, set[str]] = defaultdict(set)
        self._size = 0
        self.add(known)

    def add(self, nodes: Iterable[Node]) -> None:
        """Take in more nodes."""
        for account, root in nodes:
            if root not in self._by_account[account]:
                self._by_account[account].add(root)
                self._by_root[root].add(account)
                self._size += 1

    def spread(self, reaches: Iterable[Reach]) -> None:
        """Add the nodes that lots may come to by the events, whatever their order."""
        moving = [reach for reach in reaches if reach.links and not reach.everywhere]
        size = -1
        while size != self._size:
            size = self._size
            for reach in moving:
                self.add(self.reached(reach))

    def reached(self, reach: Reach) -> set[Node]:
        """Return the nodes that an event reaches."""
        roots = self._roots.of(reach.symbols)
        if reach.everywhere:
            return {(account, root) for root in roots for account in self._by_root.get(root, ())}
        whole = {root for account in reach.whole for root in self._by_account.get(account, ())}
        nodes = {(account, root) for account in reach.accounts for root in roots}
        nodes |= {(account, root) for account in reach.whole for root in self._by_account.get(account, ())}
        if reach.kind == "merge":
            nodes |= {(account, root) for account in reach.accounts for root in whole}
        return nodes

    def everything(self) -> list[Node]:
        """Return all nodes, in order."""
        return sorted((account, root) for account, roots in self._by_account.items() for root in roots)

    def groups(self, reaches: Iterable[Reach]) -> pl.DataFrame:
        """Return the nodes that are linked: account_id, root, and `group`, one of the nodes of the group as text."""
        union = _Union[Node]()
        for reach in reaches:
            if reach.links:
                union.join(sorted(self.reached(reach)))
        rows = [(*node, group_name(union.root(node))) for node in union.members()]
        return pl.DataFrame(rows, schema={**NODE_SCHEMA, "group": pl.String}, orient="row")


def group_name(node: Node) -> str:
    """Return the name of a group as one of its nodes gives it."""
    return "\x1f".join(node)


def grouped(touched: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Return touched nodes and those that are linked with them, with the group's first event and its force."""
    alone = pl.concat_str("account_id", "root", separator="\x1f")
    if not groups.height:
        nodes = touched.group_by(NODE, maintain_order=True).agg(pl.col("first_at").min(), pl.col("forced").any())
        return nodes.with_columns(alone.alias("group"))
    named = touched.join(groups, on=NODE, how="left", maintain_order="left").with_columns(
        pl.coalesce("group", alone).alias("group")
    )
    firsts = named.group_by("group", maintain_order=True).agg(pl.col("first_at").min(), pl.col("forced").any())
    members = pl.concat([named.select(*NODE, "group"), groups.select(*NODE, "group")]).unique(maintain_order=True)
    return members.join(firsts, on="group", maintain_order="left")
