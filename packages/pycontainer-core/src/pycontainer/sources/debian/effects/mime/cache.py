"""`mime.cache`, the whole database in one binary file, version 1.2 (shared MIME-info specification, 2.9).

    content = mime_cache(database)

Programs map it into memory and search in it. All numbers are big-endian; strings and lists are found by their offset.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.mime.hash_order import in_hash_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pycontainer.sources.debian.effects.mime.database import Glob, Match, MimeDatabase

_VERSION: Final = 1, 2
_HEADER: Final = struct.Struct(">HH10I")
_CASE_SENSITIVE: Final = 0x100
_WEIGHT: Final = 0xFF
_NUMBER: Final = 0xFFFFFFFF
_ENTRY: Final = 4
_SUFFIX: Final = 12
_MAGIC: Final = 16
_MATCHLET: Final = 32
_SPECIAL: Final = frozenset("\\[?*")


def mime_cache(database: MimeDatabase) -> bytes:
    """The content of the file."""
    strings = _Strings(_strings(database))
    sections: tuple[Callable[[MimeDatabase, _Strings, int], bytes], ...] = (
        lambda database, strings, _: _map(strings, database.aliases),
        _parents,
        lambda database, strings, _: _globs(strings, database, is_literal),
        _suffixes,
        lambda database, strings, _: _globs(strings, database, _is_full),
        _magic,
        lambda database, strings, _: _namespaces(strings, database),
        lambda database, strings, _: _map(strings, database.icons),
        lambda database, strings, _: _map(strings, database.generic_icons),
        # `update-mime-database` looks for each name with a line end behind it, and finds none; nothing reads it.
        lambda database, *_: _numbers([len(database.types), *[0] * len(database.types)]),
    )
    content = bytearray(_HEADER.size) + strings.content
    offsets = []
    for section in sections:
        offsets.append(len(content))
        content += section(database, strings, len(content))
    content[: _HEADER.size] = _HEADER.pack(*_VERSION, *offsets)
    return bytes(content)


def is_literal(pattern: str) -> bool:
    """Whether a pattern is a name."""
    return not set(pattern) & _SPECIAL


def _is_suffix(pattern: str) -> bool:
    """Whether a pattern is `*` and the end of a name."""
    return pattern.startswith("*") and is_literal(pattern[1:])


def _is_full(pattern: str) -> bool:
    return not is_literal(pattern) and not _is_suffix(pattern)


class _Strings:
    """Where each string is."""

    def __init__(self, strings: Iterable[str]) -> None:
        self.content = bytearray()
        self._offsets: dict[str, int] = {}
        for string in strings:
            self._offsets[string] = _HEADER.size + len(self.content)
            self.content += _aligned(string.encode() + b"\0")

    def __getitem__(self, string: str) -> int:
        return self._offsets[string]


def _strings(database: MimeDatabase) -> list[str]:
    """All of them, in the order of GLib's table that they are put into from other such tables."""
    found: list[str] = []
    for alias in in_hash_order(database.aliases):
        found += [alias, database.aliases[alias]]
    for name in in_hash_order(database.parents):
        found += [name, *database.parents[name]]
    for pattern in in_hash_order(database.globs):
        found += [] if _is_suffix(pattern) else [pattern]
        found += [glob.type for glob in database.globs[pattern]]
    found += [magic.type for magic in database.sorted_magic()]
    for name in in_hash_order(database.namespaces):
        found += [database.namespaces[name], *name.split(" ")]
    for icons in (database.generic_icons, database.icons):
        for name in in_hash_order(icons):
            found += [name, icons[name]]
    return in_hash_order(found)


def _map(strings: _Strings, names: Mapping[str, str]) -> bytes:
    entries = ([strings[key], strings[names[key]]] for key in _ordered(names))
    return _numbers([len(names), *chain.from_iterable(entries)])


def _namespaces(strings: _Strings, database: MimeDatabase) -> bytes:
    names = database.namespaces
    entries = ([*(strings[word] for word in key.split(" ")), strings[names[key]]] for key in _ordered(names))
    return _numbers([len(names), *chain.from_iterable(entries)])


def _parents(database: MimeDatabase, strings: _Strings, offset: int) -> bytes:
    names = _ordered(database.parents)
    index: list[int] = [len(names)]
    lists: list[int] = []
    start = offset + _ENTRY + 2 * _ENTRY * len(names)
    for name in names:
        parents = database.parents[name]
        index += [strings[name], start + _ENTRY * len(lists)]
        lists += [len(parents), *(strings[parent] for parent in parents)]
    return _numbers(index + lists)


def _globs(strings: _Strings, database: MimeDatabase, wanted: Callable[[str], bool]) -> bytes:
    globs = [glob for pattern in _ordered(filter(wanted, database.globs)) for glob in database.globs[pattern]]
    entries = ([strings[glob.pattern], strings[glob.type], _flags(glob)] for glob in globs)
    return _numbers([len(globs), *chain.from_iterable(entries)])


def _flags(glob: Glob) -> int:
    return (glob.weight & _WEIGHT) | (_CASE_SENSITIVE if glob.is_case_sensitive else 0)


# Suffixes: a tree of the characters from the end of a name; below the last one, a leaf for each type.


@dataclass(kw_only=True, slots=True)
class _Suffix:
    """A character and what may stand before it, or the types of the suffix that begins here."""

    children: dict[str, _Suffix] = field(default_factory=dict)
    leaves: dict[str, tuple[int, int]] = field(default_factory=dict)

    def insert(self, suffix: str, glob: Glob) -> None:
        node = self
        for character in suffix:
            node = node.children.setdefault(character, _Suffix())
        weight, flags = node.leaves.get(glob.type, (0, _flags(glob) & ~_WEIGHT))
        node.leaves[glob.type] = max(weight, glob.weight), flags

    def __len__(self) -> int:
        return len(self.leaves) + len(self.children)


def _suffixes(database: MimeDatabase, strings: _Strings, offset: int) -> bytes:
    root = _Suffix()
    for pattern in in_hash_order(database.globs):
        if _is_suffix(pattern) and len(pattern) > 1:
            for glob in database.globs[pattern]:
                root.insert(pattern[:0:-1], glob)
    start = offset + 2 * _ENTRY
    numbers = [len(root), start]
    free = start + _SUFFIX * len(root)
    level = [root]
    while level:
        below: list[_Suffix] = []
        for node in level:
            for name, (weight, flags) in node.leaves.items():
                numbers += [0, strings[name], (weight & _WEIGHT) | flags]
            for character, child in sorted(node.children.items()):
                numbers += [ord(character), len(child), free]
                free += _SUFFIX * len(child)
                below.append(child)
        level = below
    return _numbers(numbers)


# Magic: an entry for each rule, then a matchlet for each match, then the bytes that they look for.


def _magic(database: MimeDatabase, strings: _Strings, offset: int) -> bytes:
    rules = database.sorted_magic()
    matches: list[Match] = []
    firsts: dict[int, int] = {}
    for rule in rules:
        _collect(rule.matches, matches, firsts)
    start = offset + 3 * _ENTRY
    lets = start + _MAGIC * len(rules)
    extent = max((len(match.data) + match.start + match.length for match in matches), default=0)
    numbers = [len(rules), max(extent, 0), start]
    for rule in rules:
        numbers += [rule.priority, strings[rule.type], len(rule.matches), lets + _MATCHLET * firsts[id(rule.matches)]]
    data = bytearray()
    for match in matches:
        first = lets + _MATCHLET * len(matches) + len(data)
        data += _aligned(match.data)
        mask = 0
        if match.mask is not None:
            mask = lets + _MATCHLET * len(matches) + len(data)
            data += _aligned(match.mask)
        below = lets + _MATCHLET * firsts[id(match.matches)] if match.matches else 0
        numbers += [match.start, match.length, match.word, len(match.data), first, mask, len(match.matches), below]
    return _numbers(numbers) + data


def _collect(matches: Sequence[Match], found: list[Match], firsts: dict[int, int]) -> None:
    """All matches: those of one parent stand together, and `firsts` tells by their tuple where they begin."""
    if matches:
        firsts[id(matches)] = len(found)
        found += matches
        for match in matches:
            _collect(match.matches, found, firsts)


def _ordered(names: Iterable[str]) -> list[str]:
    return sorted(names, key=str.encode)


def _numbers(numbers: Iterable[int]) -> bytes:
    values = [number & _NUMBER for number in numbers]
    return struct.pack(f">{len(values)}I", *values)


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ENTRY)
