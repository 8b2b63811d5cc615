"""A MIME database as values: what XML files tell of types, before it is written in the forms that programs read.

All names of types are `media/subtype`. Dictionaries have the order in which their keys were first told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Hashable

    from pycontainer.sources.debian.effects.mime.xml import Element

TreeKind = Literal["any", "file", "directory", "link"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Glob:
    """`<glob>`: a pattern of file names; the one of `<glob-deleteall>` makes others' patterns of the type go."""

    pattern: str
    type: str
    weight: int = 50
    is_case_sensitive: bool = False
    is_deletion: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """`<match>`: bytes at an offset, with `matches` of which one must hold as well.

    Attributes:
        start: The first offset.
        length: How many offsets are tried.
        word: Bytes of a number in the machine's own order, 1 for all else.
        data: What is looked for.
        mask: As long as `data`.
        matches: What is below it.
    """

    start: int = 0
    length: int = 1
    word: int = 1
    data: bytes = b""
    mask: bytes | None = None
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Magic:
    """`<magic>`: of its matches, one must hold; the one of `<magic-deleteall>` makes others' of the type go."""

    type: str
    priority: int
    matches: tuple[Match, ...]
    is_deletion: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeMatch:
    """`<treematch>`: a file in a file system."""

    path: str
    kind: TreeKind = "any"
    flags: tuple[str, ...] = ()
    matches: tuple[TreeMatch, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeMagic:
    """`<treemagic>`."""

    type: str
    priority: int
    matches: tuple[TreeMatch, ...]


@dataclass(kw_only=True, slots=True)
class MimeDatabase:
    """What all files tell together.

    Attributes:
        types: Type → the elements of its own file. A comment's key is its language, so that a later one replaces it.
        globs: Pattern → globs.
        magic: In the order of the files.
        tree_magic: As `magic`.
        parents: Type → the types that it is a kind of.
        aliases: Another name → type.
        icons: Type → icon.
        generic_icons: Type → icon.
        namespaces: Namespace and local name of a document element, with a space between → type.
    """

    types: dict[str, dict[Hashable, Element]] = field(default_factory=dict)
    globs: dict[str, list[Glob]] = field(default_factory=dict)
    magic: list[Magic] = field(default_factory=list)
    tree_magic: list[TreeMagic] = field(default_factory=list)
    parents: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    icons: dict[str, str] = field(default_factory=dict)
    generic_icons: dict[str, str] = field(default_factory=dict)
    namespaces: dict[str, str] = field(default_factory=dict)

    def sorted_magic(self) -> list[Magic]:
        """Deletions, then by priority and name."""
        return sorted(self.magic, key=lambda each: (not each.is_deletion, -each.priority, _by_name(each.type)))

    def sorted_tree_magic(self) -> list[TreeMagic]:
        """By priority and name."""
        return sorted(self.tree_magic, key=lambda each: (-each.priority, _by_name(each.type)))


def _by_name(name: str) -> tuple[bytes, bytes]:
    media, _, subtype = name.partition("/")
    return media.encode(), subtype.encode()
