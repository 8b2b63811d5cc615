"""What ignore rules said of paths in earlier builds: the same rules, asked the same, are not even read.

    verdicts = Verdicts(folder, root)
    rules = verdicts.rules(["*.log", "!keep.log"])
    rules.includes("a.log")         # False; none where no rule speaks of it
    verdicts.keep()

An answer is that of the text of the rules, the path and the version of pathspec, and of nothing else.
"""

from __future__ import annotations

import hashlib
import os
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from pycontainer import __version__
from pycontainer.blobs.records import load_decoded, save_record
from pycontainer.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pathspec import GitIgnoreSpec

# A table of more answers is as slow to read as they are to find.
_MAX_PATHS: Final = 500_000


class Verdicts:
    """A table of answers for one directory.

    Args:
        folder: Of tables; made when something is written. None where nothing is kept.
        root: The directory that rules are about.
    """

    def __init__(self, folder: Path | None, root: Path) -> None:
        version = _version_of_pathspec() if folder is not None else ""
        name = hashlib.sha256(os.fsencode("\0".join(["rules", __version__, version, str(root)]))).hexdigest()
        self._path = folder / f"{name}.msgpack" if folder is not None and version else None
        self._before = {} if self._path is None else (load_decoded(self._path, _DECODER.decode) or {})
        self._asked: dict[str, Rules] = {}

    def rules(self, lines: Sequence[str]) -> Rules:
        """Rules in git's form, by their lines.

        Raises:
            ProjectError: They cannot be read.
        """
        key = hashlib.sha256(msgspec.json.encode(lines)).hexdigest()
        if key not in self._asked:
            self._asked[key] = Rules(lines, self._before.get(key))
        return self._asked[key]

    def keep(self) -> None:
        """Remember what was asked since the table was made, in place of what was asked before.

        Raises:
            StoreError: The disk does not take it.
        """
        answers = {key: _Answers(rules.bring_back, rules.asked) for key, rules in self._asked.items()}
        count = sum(len(each.paths) for each in answers.values())
        if self._path is not None and answers != self._before and count <= _MAX_PATHS:
            save_record(self._path, msgspec.msgpack.encode(answers), durable=False)


class Rules:
    """The rules of one file; paths are relative to its folder.

    Attributes:
        asked: What was answered, by path.
        bring_back: Whether some rule brings files back that another took away.
    """

    def __init__(self, lines: Sequence[str], known: _Answers | None) -> None:
        self._lines = lines
        self._known = {} if known is None else known.paths
        self.asked: dict[str, bool | None] = {}
        # Read now where nothing is known of them, so that what is wrong with them is told whatever is asked.
        self.bring_back = self._negates() if known is None else known.bring_back

    def includes(self, path: str) -> bool | None:
        """Whether the last rule that speaks of a path ignores it; none where none does."""
        answer = self._known[path] if path in self._known else self._spec.check_file(path).include
        self.asked[path] = answer
        return answer

    def _negates(self) -> bool:
        return any(not pattern.include for pattern in self._spec.patterns if pattern.regex)

    @cached_property
    def _spec(self) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - 25 ms, and only for what is not known

        try:
            return GitIgnoreSpec.from_lines(self._lines)
        except ValueError as error:
            raise ProjectError("A pattern of files to leave out cannot be read", facts=[str(error)]) from error


class _Answers(msgspec.Struct, frozen=True, array_like=True):
    bring_back: bool
    paths: dict[str, bool | None]


@cache
def _version_of_pathspec() -> str:
    """As its metadata beside it are called; empty where they are not there. To ask it would be to import it."""
    spec = find_spec("pathspec")
    place = Path(spec.origin).parent.parent if spec is not None and spec.origin else Path()
    return " ".join(sorted(path.name for path in place.glob("pathspec-*.dist-info")))


# Made once, by the thread that imports: msgspec looks at a type when it first decodes it, and two at once crash.
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, _Answers])
