"""Chains as people want them: joined, split and named by events of the log, over the automatic ones.

An override refers to a chain by a position of it, so that it holds when a late event gives the chain another first
position; or by its name. A late event may even give a position another id, since that names the event that opened it:
the old id then means the position that the event named by it opened lots of, or that was open at its time.
What an override refers to in vain is a problem, and the rest of it has its effect.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.tables import CHAIN_KINDS

FIRST_LEG = "1"
Slot = tuple[str, str]


class Partition:
    """Episodes in chains, some of them with a name; a chain is told apart by a number."""

    def __init__(self, roots: Sequence[int], tags: pl.DataFrame) -> None:
        self.chain_of = list(roots)
        self.names: dict[int, str] = {}
        self._members: dict[int, set[int]] = defaultdict(set)
        for episode, chain in enumerate(roots):
            self._members[chain].add(episode)
        self._firsts = {chain: chain for chain in self._members}
        self._next = len(self.chain_of)
        self._tagged: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._named: dict[str, set[int]] = defaultdict(set)
        for episode, account, name in tags.select("episode", "account_id", "name").iter_rows():
            self._tagged[account, name].append(episode)
            if self.chain_of[episode] not in self.names:
                self.name(self.chain_of[episode], name)

    def called(self, account: str, name: str, accounts: Sequence[str]) -> set[int]:
        """Return the chains of an account that have this name now, or whose events have it as a tag."""
        now = {chain for chain in self._named[name] if accounts[self.first(chain)] == account}
        return now or {self.chain_of[episode] for episode in self._tagged.get((account, name), ())}

    def first(self, chain: int) -> int:
        """Return the first episode of a chain."""
        return self._firsts[chain]

    def name(self, chain: int, name: str | None) -> None:
        """Give a chain a name, or take it away."""
        if chain in self.names:
            self._named[self.names.pop(chain)].discard(chain)
        if name is not None:
            self.names[chain] = name
            self._named[name].add(chain)

    def join(self, chains: Iterable[int], name: str | None) -> None:
        """Make one chain of several; without a name it keeps that of the first one that has any."""
        ordered = sorted(set(chains), key=self.first)
        kept = name or next((self.names[chain] for chain in ordered if chain in self.names), None)
        into = max(ordered, key=lambda chain: len(self._members[chain]))
        self._firsts[into] = self.first(ordered[0])
        for chain in ordered:
            self.name(chain, None)
            if chain != into:
                self._move(self._members.pop(chain), into)
        self.name(into, kept)

    def split(self, episodes: set[int]) -> None:
        """Take episodes out of their chains, into one of their own; a chain that is just these stays as it is."""
        chain = self.chain_of[min(episodes)]
        if self._members[chain] == episodes:
            return
        for left in {self.chain_of[episode] for episode in episodes}:
            self._members[left] -= episodes
            if not self._members[left]:
                self.name(left, None)
            elif self.first(left) in episodes:
                self._firsts[left] = min(self._members[left])
        self._firsts[self._next] = min(episodes)
        self._move(episodes, self._next)
        self._next += 1

    def _move(self, episodes: set[int], chain: int) -> None:
        self._members[chain] |= episodes
        for episode in episodes:
            self.chain_of[episode] = chain


class References:
    """What the ids in overrides mean: positions, and the positions that a trade opened."""

    def __init__(self, episodes: pl.DataFrame, touches: pl.DataFrame, events: pl.DataFrame) -> None:
        self.accounts: list[str] = episodes["account_id"].to_list()
        self.currencies: list[str] = episodes["currency"].to_list()
        self._positions = dict(episodes.select("position_id", "episode").iter_rows())
        self._opened: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._by_leg: dict[tuple[str, str, str, str], int] = {}
        columns = ("account_id", "instrument_id", "trade_id", "leg_id", "episode")
        for account, instrument, trade, leg, episode in (
            touches.filter("opened").sort("episode").select(columns).iter_rows()
        ):
            self._opened[account, trade].add(episode)
            self._by_leg[account, instrument, trade, leg] = episode
        for account, trade, episode in episodes.select("account_id", "open_trade_id", "episode").iter_rows():
            self._opened[account, trade].add(episode)
        self._events, self._episodes = events, episodes

    def opened_by(self, account: str, trade_id: str) -> set[int]:
        """Return the episodes of an account that a trade opened, or opened lots of."""
        return self._opened.get((account, trade_id), set())

    def position(self, account: str, reference: str) -> int | None:
        """Return the episode that a position_id means, or None."""
        if reference in self._positions:
            found = self._positions[reference]
            return int(found) if self.accounts[found] == account else None
        parts = reference.split(":", 2)
        if len(parts) != 3 or _plain(parts[0]) != account:
            return None
        instrument = _plain(parts[1])
        trade, _, leg = parts[2].partition("##")[0].partition("#")
        trade, leg = _plain(trade), _plain(leg) or FIRST_LEG
        found = self._by_leg.get((account, instrument, trade, leg))
        return self._open_then((account, instrument), trade, leg) if found is None else found

    def _open_then(self, slot: Slot, trade: str, leg: str) -> int | None:
        told = self._events.filter((pl.col("trade_id") == trade) & (pl.col("leg_id") == leg))
        rows = self._episodes.filter((pl.col("account_id") == slot[0]) & (pl.col("instrument_id") == slot[1]))
        for at in told["executed_at"]:
            closed = pl.col("closed_at")
            found = rows.filter((pl.col("opened_at") <= at) & (closed.is_null() | (closed >= at)))["episode"]
            return int(found.to_list()[-1]) if found.len() else None
        return None


def override(partition: Partition, references: References, events: pl.DataFrame) -> list[Problem]:
    """Apply the overrides among the events to the chains, in effective order; return what they refer to in vain."""
    problems: list[Problem] = []
    told = events.filter(pl.col("kind").is_in(CHAIN_KINDS)).sort("executed_at", "sequence")
    for event in told.select("kind", "trade_id", "account_id", "details").iter_rows(named=True):
        wanted: dict[str, Any] = json.loads(event["details"])["chain"]
        apply = {"chain_join": _join, "chain_split": _split, "chain_name": _name}[event["kind"]]
        problems += apply(partition, references, event, wanted)
    return problems


def _join(
    partition: Partition, references: References, event: Mapping[str, str], wanted: Mapping[str, Any]
) -> list[Problem]:
    problems: list[Problem] = []
    chains: list[int] = []
    for name in wanted["chains"]:
        found = _chain(partition, references, event, name)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        currency, first = (references.currencies[partition.first(chain)] for chain in (found, (chains or [found])[0]))
        if currency == first:
            chains.append(found)
        else:
            why = f"which is in {currency}, while the chains before it are in {first}"
            problems.append(_problem("other_currency", event, name, why, "Join chains of one currency."))
    if chains:
        partition.join(chains, wanted.get("name"))
    return problems


def _split(
    partition: Partition, references: References, event: Mapping[str, str], wanted: Mapping[str, Any]
) -> list[Problem]:
    problems: list[Problem] = []
    taken: dict[str, set[int]] = defaultdict(set)
    for trade in wanted["trades"]:
        opened = references.opened_by(event["account_id"], trade)
        for episode in opened:
            taken[references.currencies[episode]].add(episode)
        if not opened:
            why = f"and no position of account {event['account_id']} was opened by it"
            problems.append(_problem("unknown_trade", event, trade, why, "Name the trade_id of an opening trade."))
    for episodes in taken.values():
        partition.split(episodes)
    return problems


def _name(
    partition: Partition, references: References, event: Mapping[str, str], wanted: Mapping[str, Any]
) -> list[Problem]:
    found = _chain(partition, references, event, wanted["chain"])
    if isinstance(found, Problem):
        return [found]
    partition.name(found, wanted["name"])
    return []


def _chain(partition: Partition, references: References, event: Mapping[str, str], name: str) -> int | Problem:
    """Return the chain that an override means, or why there is none."""
    account = event["account_id"]
    episode = references.position(account, name)
    if episode is not None:
        return partition.chain_of[episode]
    found = partition.called(account, name, references.accounts)
    if len(found) == 1:
        return found.pop()
    action = "Name a position_id of one of its positions."
    if found:
        why = f"and {len(found)} chains of account {account} have that name"
        return _problem("ambiguous_chain", event, name, why, action)
    return _problem("unknown_chain", event, name, f"and account {account} has no such position or chain", action)


def _problem(code: str, event: Mapping[str, str], name: str, why: str, action: str) -> Problem:
    message = f"The {event['kind']} {event['trade_id']} names '{name}', {why}."
    return Problem(code, message, value=name, action=action, trade_id=event["trade_id"])


def _plain(part: str) -> str:
    """Return a part of a position_id as it was before its separators were escaped."""
    return part.replace("%3A", ":").replace("%23", "#").replace("%25", "%")
