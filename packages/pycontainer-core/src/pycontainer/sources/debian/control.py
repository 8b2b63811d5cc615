r"""Paragraphs of `Field: value` lines: indexes, control files, dpkg's database, Release files (deb822(5)).

for paragraph in read_paragraphs(stream):
    paragraph["Package"], paragraph.get("depends", "")        # names in any case
str(paragraph)                                                # "Package: libpq5\nVersion: 15.14-0+deb12u1\n…"
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO, Final

from pycontainer.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_FIELD: Final = 4 << 20
"""Bytes of one field: the longest of Debian's indexes has 100 kB, a `Release` file lists all its files in one."""
_MAX_FIELDS: Final = 512
# Printable ASCII but the colon, and no `-` or `#` at the start (Policy 5.1).
_NAME = re.compile(r"[!-9;-~]+")
_BLANKS: Final = " \t"


class Paragraph(Mapping[str, str]):
    r"""The fields of one paragraph: found by a name in any case, listed in the order and spelling of the text.

    A value of several lines keeps its line breaks and the blank that starts each further line: `short\n long`.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = {name.lower(): (name, value) for name, value in fields}

    @classmethod
    def parse(cls, text: bytes, *, max_field: int = MAX_FIELD) -> Paragraph:
        """The only paragraph of a text.

        Raises:
            DocumentError: There is none or more than one, or it is malformed.
        """
        paragraphs = list(read_paragraphs(io.BytesIO(text), max_field=max_field))
        if len(paragraphs) != 1:
            raise DocumentError(f"A control file has {len(paragraphs)} paragraphs where one belongs")
        return paragraphs[0]

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Paragraph({list(self.items())!r})"

    def __str__(self) -> str:
        return "".join(map(_printed, self._fields.values()))


def read_paragraphs(stream: BinaryIO, *, max_field: int = MAX_FIELD) -> Iterator[Paragraph]:
    """The paragraphs of a stream, one after the other.

    Comment lines (`#`) are left out, and bytes that are not UTF-8 replaced.

    Raises:
        DocumentError: A line is no field, a field is too long or stands twice in a paragraph.
    """
    fields: dict[str, tuple[str, list[str]]] = {}
    value: list[str] = []
    room = max_field
    while line := stream.readline(max_field + 1):
        if line.startswith(b"#"):
            continue
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text.strip(_BLANKS):
            if fields:
                yield _paragraph(fields)
                fields = {}
            continue
        if text[0] not in _BLANKS:
            value = _start(text, fields)
            room = max_field
        elif fields:
            value.append(text.rstrip(_BLANKS))
        else:
            raise DocumentError(f"A control file continues a field before there is one: `{text[:60]}`")
        room -= len(line)
        if room < 0:
            raise DocumentError(
                f"Field `{next(reversed(fields.values()))[0]}` of a control file exceeds {max_field} bytes"
            )
    if fields:
        yield _paragraph(fields)


def _start(text: str, fields: dict[str, tuple[str, list[str]]]) -> list[str]:
    name, colon, rest = text.partition(":")
    if not colon or name.startswith("-") or _NAME.fullmatch(name) is None:
        raise DocumentError(f"A control file has a line that is no field: `{text[:60]}`")
    if name.lower() in fields:
        raise DocumentError(f"A paragraph of a control file has field `{name[:60]}` twice")
    if len(fields) == _MAX_FIELDS:
        raise DocumentError(f"A paragraph of a control file has more than {_MAX_FIELDS} fields")
    value = [rest.strip(_BLANKS)]
    fields[name.lower()] = (name, value)
    return value


def _paragraph(fields: dict[str, tuple[str, list[str]]]) -> Paragraph:
    return Paragraph((name, "\n".join(lines)) for name, lines in fields.values())


def _printed(field: tuple[str, str]) -> str:
    name, value = field
    blank = "" if not value or value.startswith("\n") else " "
    return f"{name}:{blank}{value}\n"
