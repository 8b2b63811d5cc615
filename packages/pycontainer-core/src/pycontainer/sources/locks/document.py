"""Lock files as documents: bounded in size, read once, checked against the types that a format declares.

    content = read_content(path)
    document, files = parse_toml(content, path)
    convert(document, UvDocument, path)

Lock files come from repositories of strangers as well as of friends, so that size, nesting and the length of dotted
keys are bounded before a parser whose time grows with them sees the text.
"""

from __future__ import annotations

import re
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from pycontainer.errors import LockError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_T = TypeVar("_T")

LARGEST = 16 * 1024 * 1024
"""Bytes; the largest locks of public projects have five million, and a parser needs a second for that."""

CONVERTING = threading.Lock()
"""msgspec looks at a type when it is first converted to, and crashes where two threads do so at once."""

_MANY_DOTS = 64
_DOTTED_KEY = re.compile(
    r"""(?:(?:(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*)+""",
)
# The arrays of files are nine tenths of a lock, and most of them are never looked at. All tools write them like this.
_FILES = re.compile(r"^(wheels|files) = \[\n((?:[ \t]+\{[^\n]*\},?\n)+)\]$", re.MULTILINE)
# One file in such an array, as uv, Poetry and PDM write it; ten times faster than to parse it as TOML.
_FILE = re.compile(
    r"""[ \t]+\{\ ?(url|file|path)\ =\ "([^"\\]*)",\ hash\ =\ "([^"\\]*)"
        (?:,\ size\ =\ (\d{1,15}))?(?:,\ upload-time\ =\ "[^"\\]*")?\ ?\},?\n""",
    re.VERBOSE | re.ASCII,
)


def read_content(path: Path) -> bytes:
    """The bytes of a lock file.

    Raises:
        LockError: It cannot be read, or is larger than any lock.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise LockError(f"`{path.name}` cannot be read", facts=[f"{path}: {error.strerror or error}"]) from error
    if len(content) > LARGEST:
        raise LockError(f"`{path.name}` is too large to be a lock file", facts=[f"{path}: more than {LARGEST} bytes"])
    return content


def decode(content: bytes, path: Path) -> str:
    """The text of a lock file, with plain line ends and without a byte order mark.

    Raises:
        LockError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise LockError(f"`{path.name}` is not UTF-8 text", facts=[f"{path}: byte {error.start}"]) from error


class Files:
    """The arrays of files of a document, cut out of it unread: each a number in the document until it is needed."""

    def __init__(self, blocks: list[str]) -> None:
        self._blocks = blocks

    def entries(self, value: list[Any] | int) -> list[Mapping[str, Any]]:
        """The tables of an array: of the field's own value, or of the block it stands for.

        Raises:
            LockError: It is not an array of tables.
        """
        if isinstance(value, int) and 0 <= value < len(self._blocks):
            value = _parse_block(self._blocks[value])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise LockError("A list of files in the lock is malformed", facts=["expected: an array of tables"])
        return value


def _parse_block(block: str) -> Any:
    found = _FILE.findall(block)
    if len(found) == block.count("\n"):
        return [
            {key: where, "hash": hash_, "size": int(size)} if size else {key: where, "hash": hash_}
            for key, where, hash_, size in found
        ]
    try:
        return _loads(f"files = [\n{block}]\n")["files"]
    except (ValueError, RecursionError) as error:
        raise LockError("A list of files in the lock is malformed", facts=[str(error)[:200]]) from error


def parse_toml(content: bytes, path: Path) -> tuple[dict[str, Any], Files]:
    """A TOML document; its arrays `wheels` and `files` may be numbers that `Files` knows.

    Raises:
        LockError: It is not TOML, or TOML that no tool would write.
    """
    text = decode(content, path)
    blocks: list[str] = []
    if "'''" not in text and '"""' not in text:  # else what looks like an array may be in the middle of a string

        def cut(match: re.Match[str]) -> str:
            blocks.append(match[2])
            return f"{match[1]} = {len(blocks) - 1}"

        text = _FILES.sub(cut, text)
    try:
        _refuse_long_keys(text)
        return _loads(text), Files(blocks)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise LockError(f"`{path.name}` is not a TOML document", facts=[f"{path}: {reason}"]) from error


def convert(document: Mapping[str, Any], type_: type[_T], path: Path) -> _T:
    """A document, or a part of it, as the type that its format declares.

    Raises:
        LockError: It has another form.
    """
    try:
        with CONVERTING:
            return msgspec.convert(document, type_)
    except msgspec.ValidationError as error:
        raise LockError(f"`{path.name}` does not have the form of its format", facts=[str(error)[:300]]) from error


def _loads(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def _refuse_long_keys(text: str) -> None:
    """A parser's time grows with the square of the parts of a dotted key."""
    for line in text.split("\n"):
        if line.count(".") >= _MANY_DOTS and any(
            match[0].count(".") >= _MANY_DOTS for match in _DOTTED_KEY.finditer(line)
        ):
            raise ValueError("a key has too many parts")
