"""The front door is pinned: a name joins or leaves it on purpose."""

from types import ModuleType

import tradelake

PUBLIC = {
    "Book",
    "BookError",
    "Execution",
    "InputError",
    "Problem",
    "Receipt",
    "TradelakeError",
    "__version__",
    "create",
    "migrate",
    "migrations",
    "open",
    "show",
}


def test_all_names_the_front_door():
    assert set(tradelake.__all__) == PUBLIC


def test_nothing_else_is_there():
    names = {name for name, value in vars(tradelake).items() if not isinstance(value, ModuleType)}
    there = {name for name in names if not name.startswith("_")} - {"TYPE_CHECKING"}
    assert there <= PUBLIC
    assert set(dir(tradelake)) == PUBLIC


def test_every_public_name_has_a_docstring():
    silent = [name for name in PUBLIC - {"__version__"} if not getattr(tradelake, name).__doc__]
    assert not silent
