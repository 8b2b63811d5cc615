"""Reads `packages/*.xml` into a database: what `update-mime-database` takes from them, and where it stops.

    database = MimeDatabase()
    read_source(content, database)

A type whose element is wrong is read as far as that element, as the real program does it; so is a file that is no XML
passed over. Files are read in the order of their names, and later ones add to or replace what earlier ones said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.mime.database import Glob, Magic, Match, TreeMagic, TreeMatch
from pycontainer.sources.debian.effects.mime.values import parsed_mask, parsed_number, parsed_string
from pycontainer.sources.debian.effects.mime.xml import read_xml

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.sources.debian.effects.mime.database import MimeDatabase, TreeKind
    from pycontainer.sources.debian.effects.mime.xml import Element

NO_GLOBS: Final = "__NOGLOBS__"
_NO_MAGIC: Final = b"__NOMAGIC__"
# A name becomes a path: without separators, and not hidden.
_TYPE: Final = re.compile(r"[^/.\s\0-\x1f\x7f][^/\s\0-\x1f\x7f]*/[^/\s\0-\x1f\x7f]+")
_RANGE: Final = re.compile(r"\s*([+-]?\d{1,9})(?::\s*([+-]?\d{1,9}))?", re.ASCII)
_PERCENT: Final = re.compile(r"\s*\+?(\d{1,9})", re.ASCII)
_UPPER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_WORDS: Final = {"byte": 1, "big16": 2, "big32": 4, "little16": 2, "little32": 4, "host16": 2, "host32": 4}
_KINDS: Final[dict[str, TreeKind]] = {"file": "file", "directory": "directory", "link": "link"}
_FLAGS: Final = ("match-case", "executable", "non-empty")
_DEFAULT: Final = "50"
_MOST: Final = 100
_LONGEST: Final = 0xFFFF


class _WrongError(Exception):
    """An element that is not what the specification says."""


def read_source(content: bytes, database: MimeDatabase) -> None:
    """Add what one file tells.

    Raises:
        DocumentError: It declares entities.
    """
    root = read_xml(content)
    if root is None or root.name != "mime-info":
        return
    for element in root.children:
        name = element.attributes.get("type", "")
        if element.name == "mime-type" and _TYPE.fullmatch(name):
            fields = database.types.setdefault(name, {})
            try:
                for child in element.children:
                    _add(name, child, database)
                    _copy(child, fields)
            except _WrongError:
                continue


def lowered(text: str) -> str:
    """In lower case, as far as it is ASCII."""
    return text.translate(_UPPER)


def _copy(element: Element, fields: dict[object, Element]) -> None:
    """An element of the type's own file; a comment takes the place of that of the same language."""
    if element.name not in _COPIED:
        return
    key: object = len(fields), id(element)
    if element.name == "comment":
        key = element.attributes.get("xml:lang")
        fields.pop(key, None)
    fields[key] = element


def _add(name: str, element: Element, database: MimeDatabase) -> None:
    adding = _ADDING.get(element.name)
    if adding is not None:
        adding(name, element, database)


def _glob(name: str, element: Element, database: MimeDatabase) -> None:
    pattern = _wanted(element, "pattern")
    is_case_sensitive = element.attributes.get("case-sensitive") == "true"
    pattern = pattern if is_case_sensitive else lowered(pattern)
    glob = Glob(pattern=pattern, type=name, weight=_percent(element, "weight"), is_case_sensitive=is_case_sensitive)
    database.globs.setdefault(pattern, []).append(glob)


def _no_globs(name: str, _: Element, database: MimeDatabase) -> None:
    glob = Glob(pattern=NO_GLOBS, type=name, weight=0, is_deletion=True)
    database.globs.setdefault(NO_GLOBS, []).append(glob)


def _magic(name: str, element: Element, database: MimeDatabase) -> None:
    matches = _matches(element)
    if not matches:
        raise _WrongError
    database.magic.append(Magic(type=name, priority=_percent(element, "priority"), matches=matches))


def _no_magic(name: str, _: Element, database: MimeDatabase) -> None:
    database.magic.append(Magic(type=name, priority=0, matches=(Match(data=_NO_MAGIC),), is_deletion=True))


def _tree_magic(name: str, element: Element, database: MimeDatabase) -> None:
    magic = TreeMagic(type=name, priority=_percent(element, "priority"), matches=_tree_matches(element))
    database.tree_magic.append(magic)


def _alias(name: str, element: Element, database: MimeDatabase) -> None:
    database.aliases[_other_type(element)] = name


def _parent(name: str, element: Element, database: MimeDatabase) -> None:
    other = _other_type(element)
    database.parents.setdefault(name, []).append(other)


def _icon(name: str, element: Element, database: MimeDatabase) -> None:
    icons = database.icons if element.name == "icon" else database.generic_icons
    icons[name] = _wanted(element, "name")


def _root_element(name: str, element: Element, database: MimeDatabase) -> None:
    words = element.attributes.get("namespaceURI"), element.attributes.get("localName")
    if words[0] is None or words[1] is None or words == ("", "") or any(set(" \n") & set(word or "") for word in words):
        raise _WrongError
    database.namespaces[f"{words[0]} {words[1]}"] = name


_ADDING: Final[dict[str, Callable[[str, Element, MimeDatabase], None]]] = {
    "glob": _glob,
    "glob-deleteall": _no_globs,
    "magic": _magic,
    "magic-deleteall": _no_magic,
    "treemagic": _tree_magic,
    "alias": _alias,
    "sub-class-of": _parent,
    "icon": _icon,
    "generic-icon": _icon,
    "root-XML": _root_element,
}
_COPIED: Final = frozenset({"comment", "acronym", "expanded-acronym", "glob", "glob-deleteall", "alias",
                            "sub-class-of", "icon", "generic-icon"})  # fmt: skip


def _matches(parent: Element) -> tuple[Match, ...]:
    found = []
    for element in parent.children:
        if element.name != "match":
            raise _WrongError
        start, length = _offsets(element)
        kind = element.attributes.get("type", "")
        word = _WORDS.get(kind, 1) if kind.startswith("host") else 1
        data, mask = _value(kind, element)
        match = Match(start=start, length=length, word=word, data=data, mask=mask, matches=_matches(element))
        found.append(match)
    return tuple(found)


def _offsets(element: Element) -> tuple[int, int]:
    match = _RANGE.fullmatch(_wanted(element, "offset"))
    if match is None:
        raise _WrongError
    start = int(match[1])
    if match[2] is None:
        return start, 1
    last = int(match[2])
    if not 0 <= start <= last:
        raise _WrongError
    return start, last - start + 1


def _value(kind: str, element: Element) -> tuple[bytes, bytes | None]:
    value, mask = _wanted(element, "value"), element.attributes.get("mask")
    try:
        if kind == "string":
            data = parsed_string(value)
            found = data, None if mask is None else parsed_mask(mask, len(data))
        else:
            size, is_little = _WORDS[kind], kind.startswith(("little", "byte"))
            data = parsed_number(value, size, is_little=is_little)
            found = data, None if mask is None else parsed_number(mask, size, is_little=is_little, is_cut=True)
    except LookupError as error:
        raise _WrongError from error
    if len(data) > _LONGEST:
        raise _WrongError
    return found


def _tree_matches(parent: Element) -> tuple[TreeMatch, ...]:
    found = []
    for element in parent.children:
        path, kind = element.attributes.get("path"), element.attributes.get("type")
        if element.name != "treematch" or path is None or (kind is not None and kind not in _KINDS):
            raise _WrongError
        flags = [flag for flag in _FLAGS if element.attributes.get(flag) == "true"]
        flags += [element.attributes["mimetype"]] if "mimetype" in element.attributes else []
        match = TreeMatch(
            path=path, kind=_KINDS.get(kind or "", "any"), flags=tuple(flags), matches=_tree_matches(element)
        )
        found.append(match)
    return tuple(found)


def _wanted(element: Element, name: str) -> str:
    value = element.attributes.get(name)
    if not value:
        raise _WrongError
    return value


def _other_type(element: Element) -> str:
    name = element.attributes.get("type", "")
    if "/" not in name:
        raise _WrongError
    return name


def _percent(element: Element, name: str) -> int:
    match = _PERCENT.fullmatch(element.attributes.get(name, _DEFAULT))
    if match is None or int(match[1]) > _MOST:
        raise _WrongError
    return int(match[1])
