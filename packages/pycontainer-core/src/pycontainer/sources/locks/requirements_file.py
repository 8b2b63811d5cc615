r"""The lines of `requirements.txt` files (pip documentation, *Requirements File Format*).

    for line in RequirementsReader(os.environ).lines(path):
        line.text, line.options

Understood are comments, continuation lines, a byte order mark, `${NAME}` of the environment, and the includes `-r` and
`-c` of files on this host.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pycontainer.errors import LockError
from pycontainer.sources.locks.addresses import redact
from pycontainer.sources.locks.document import decode, read_content

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COMMENT = re.compile(r"(^|\s)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTION = re.compile(r"\s(?=--?[a-z])")
_MOST_FILES = 100
_MOST_LINES = 10_000

_SHORT = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-i": "--index-url", "-f": "--find-links"}
_WITH_VALUE = {
    "--requirement",
    "--constraint",
    "--editable",
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--hash",
    "--trusted-host",
    "--no-binary",
    "--only-binary",
    "--use-feature",
    "--config-settings",
    "--global-option",
    "--uploaded-prior-to",
}
_FLAGS = {"--no-index", "--require-hashes", "--pre", "--prefer-binary"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A logical line.

    Attributes:
        text: The requirement, empty where the line has options alone; `${NAME}` is expanded, so it may hold secrets.
        options: Option and value, `("--hash", "sha256:…")`, in their long form; flags have an empty value.
        path: The file it stands in.
        number: Of its first physical line.
        constraint: Whether it stands in a file of constraints.
    """

    text: str
    options: tuple[tuple[str, str], ...] = ()
    path: Path
    number: int
    constraint: bool = False

    @property
    def where(self) -> str:
        """`requirements.txt:12`."""
        return f"{self.path.name}:{self.number}"

    def values(self, option: str) -> list[str]:
        """All values of an option."""
        return [value for name, value in self.options if name == option]


@dataclass(kw_only=True)
class RequirementsReader:
    """Reads a file of requirements and what it includes; `contents` are the files read, in order."""

    environ: Mapping[str, str]
    contents: dict[Path, bytes] = field(default_factory=dict)
    _count: int = 0

    def lines(self, path: Path, content: bytes) -> Iterator[Line]:
        """The logical lines of a file, and in their places those of the files that it includes.

        Raises:
            LockError: A file cannot be read or includes itself, or an option is not known.
        """
        yield from self._lines(path, content, constraint=False, including=())

    def _lines(self, path: Path, content: bytes, *, constraint: bool, including: tuple[Path, ...]) -> Iterator[Line]:
        if path in including:
            chain = " → ".join(each.name for each in (*including, path))
            raise LockError(f"`{path.name}` includes itself", facts=[chain])
        if len(self.contents) >= _MOST_FILES:
            raise LockError(f"`{including[0].name}` includes more than {_MOST_FILES} files")
        self.contents[path] = content
        for number, text in _logical_lines(decode(content, path)):
            self._count += 1
            if self._count > _MOST_LINES:
                raise LockError(f"`{path.name}` has more than {_MOST_LINES} lines", facts=[str(path)])
            line = self._parse(text, path, number, constraint=constraint)
            included = [*line.values("--requirement"), *line.values("--constraint")]
            for name in included:
                inner = constraint or bool(line.values("--constraint"))
                yield from self._include(name, line, constraint=inner, including=(*including, path))
            if not included:
                yield line

    def _include(self, name: str, line: Line, *, constraint: bool, including: tuple[Path, ...]) -> Iterator[Line]:
        if re.match(r"[a-z]+:", name, re.IGNORECASE) and not name[1:2] == ":":
            raise LockError(f"`{redact(name)}` is not a file of this host", facts=[line.where])
        path = (line.path.parent / name).resolve()
        yield from self._lines(path, read_content(path), constraint=constraint, including=including)

    def _parse(self, text: str, path: Path, number: int, *, constraint: bool) -> Line:
        expanded = _VARIABLE.sub(lambda match: self.environ.get(match[1], match[0]), text)
        match = re.search(r"(?:^|\s)--?[a-zA-Z]", expanded)
        requirement = expanded[: match.start()] if match else expanded
        rest = expanded[match.start() :] if match else ""
        where = f"{path.name}:{number}"
        return Line(
            text=requirement.strip(),
            options=tuple(_options(rest, where)),
            path=path,
            number=number,
            constraint=constraint,
        )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations joined and comments removed, blank ones left out."""
    parts: list[str] = []
    start = 1
    for number, raw in enumerate(text.split("\n"), start=1):
        if not parts:
            start = number
        # A comment ends a continued line, as in pip.
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            parts.append(raw[:-1])
            continue
        parts.append(raw)
        line = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if line:
            yield start, line
    if line := _COMMENT.sub("", "".join(parts)).strip():
        yield start, line


def _options(text: str, where: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise LockError(f"The options in {where} are malformed", facts=[str(error)]) from error
    words.reverse()
    while words:
        word = words.pop()
        name, equals, value = word.partition("=")
        if not name.startswith("--") and len(name) > 2:  # noqa: PLR2004 - `-rbase.txt`, option and value in one
            name, equals, value = name[:2], "=", word[2:]
        name = _SHORT.get(name, name)
        if name in _FLAGS and not equals:
            yield name, ""
        elif name in _WITH_VALUE and (equals or words):
            yield name, value if equals else words.pop()
        else:
            raise LockError(f"`{redact(word)[:80]}` in {where} is not an option of requirements that is known")
