"""HTML that is escaped by construction: what is not `Html` already is text, and is written as text."""

from collections.abc import Iterable
from html import escape

VOID = ("br", "hr", "meta")
BLANKS = "\t\r\n"


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def clean(text: str) -> str:
    """Return *text* with characters that steer a terminal or a page replaced; tabs and line breaks are spaces."""
    return "".join(c if c.isprintable() else " " if c in BLANKS else "\N{REPLACEMENT CHARACTER}" for c in text)


def markup(child: str) -> str:
    """Return *child* as markup: as it is where it is `Html`, escaped where it is text."""
    return child if isinstance(child, Html) else escape(clean(child), quote=True)


def join(children: Iterable[str]) -> Html:
    """Return several pieces as one."""
    return Html("".join(map(markup, children)))


def element(tag: str, /, *children: str, **attributes: str | int | bool) -> Html:
    """Return `<tag …>children</tag>`.

    An attribute whose name is a word of Python ends with an underscore (`class_`), other underscores become hyphens.
    True writes it without a value, False and empty text leave it out.
    """
    written = "".join(map(_attribute, attributes.items()))
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def _attribute(item: tuple[str, str | int | bool]) -> str:
    name, value = item
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    if value is False or value == "":
        return ""
    return f' {name}="{escape(clean(str(value)), quote=True)}"'
