"""Where the things that a lock names are: paths beside it, addresses, hashes; the same for every format.

places = Places(lock_path.parent)
places.artifact(url="https://files.example/a-1.0-py3-none-any.whl", hashes={"sha256": "…"})
places.directory("../libs/shared").outside      # True
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from pycontainer.errors import LockError
from pycontainer.sources.locks.addresses import redact, url_filename
from pycontainer.sources.locks.model import Artifact, Directory, Vcs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_LONGEST, _LONGEST_NAME = 4096, 255  # PATH_MAX and NAME_MAX


class Places:
    """What paths and addresses of a lock file in the directory `root` mean."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._known: dict[str, tuple[Path, bool]] = {}

    @property
    def known(self) -> dict[str, Path]:
        """The paths that were asked for, and where they lead."""
        return {text: path for text, (path, _) in self._known.items()}

    def path(self, text: str) -> tuple[Path, bool]:
        """A path of the lock, absolute and without symbolic links, and whether it lies outside the lock's directory.

        Raises:
            LockError: No path of this host can be written so.
        """
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._resolve(file_path(text) if text.startswith("file:") else text)
        return known

    def _resolve(self, text: str) -> tuple[Path, bool]:
        if (
            "\0" in text
            or "://" in text
            or len(text) > _LONGEST
            or any(len(part) > _LONGEST_NAME for part in text.split("/"))
        ):
            raise LockError(f"`{ascii(redact(text[:200]))[1:-1]}` is not a path")
        try:
            resolved = (self.root / text).resolve()
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
            raise LockError(f"`{ascii(text[:200])[1:-1]}` is not a path", facts=[str(error)[:200]]) from error
        return resolved, not resolved.is_relative_to(self.root)

    def directory(self, text: str, *, editable: bool = False, subdirectory: str | None = None) -> Directory:
        """A source tree that the lock names."""
        path, outside = self.path(text)
        return Directory(path=path, editable=editable, subdirectory=checked_subdirectory(subdirectory), outside=outside)

    def artifact(
        self,
        *,
        url: str | None = None,
        path: str | None = None,
        filename: str | None = None,
        size: int | None = None,
        hashes: Mapping[str, str],
        index: str | None = None,
    ) -> Artifact:
        """A file that the lock gives by address, by path, or by name alone.

        Raises:
            LockError: Its name or path is malformed.
        """
        if url is not None and url.startswith("file:"):
            url, path = None, url
        if path is not None:
            where, outside = self.path(path)
            name = filename or where.name
            return Artifact(filename=name, path=where, size=size, hashes=hashes, index=index, outside=outside)
        name = filename or url_filename(url or "")
        return Artifact(filename=name, url=url, size=size, hashes=hashes, index=index)


def is_file(path: Path) -> bool:
    """Whether there is a file that we may look at."""
    try:
        return path.is_file()
    except OSError:  # no permission to look
        return False


def file_path(url: str) -> str:
    """The path of a `file:` address."""
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        raise LockError(f"`{redact(url[:200])}` is not a file of this host")
    path = unquote(parts.path)
    # file:///C:/wheels on Windows
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path


def parse_hashes(values: Iterable[str]) -> dict[str, str]:
    """`sha256:…` strings by algorithm; whether they are strong and well-formed is judged where they are used."""
    pairs = (value.partition(":") for value in values)
    return {algorithm.strip().lower(): value.strip().lower() for algorithm, _, value in pairs}


def git_source(url: str, *, commit: str | None = None, subdirectory: str | None = None) -> Vcs:
    """A commit of a repository from uv's form, `https://host/repo?rev=main&subdirectory=lib#<commit>`.

    Raises:
        LockError: The address or the subdirectory is malformed.
    """
    try:
        parts = urlsplit(url.removeprefix("git+"))
        query = parse_qs(parts.query)
    except ValueError as error:
        raise LockError("An address of a repository in the lock is malformed", facts=[redact(url[:200])]) from error
    requested = next((values[0] for key in ("rev", "tag", "branch") if (values := query.get(key))), None)
    return Vcs(
        url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        commit=commit or parts.fragment,
        subdirectory=checked_subdirectory(subdirectory or next(iter(query.get("subdirectory", [])), None)),
        requested=requested,
    )


def checked_subdirectory(text: str | None) -> str | None:
    """A path within a source tree, with `/`; none for its top.

    Raises:
        LockError: It leads out of the tree.
    """
    parts = [part for part in (text or "").replace("\\", "/").split("/") if part not in {"", "."}]
    if ".." in parts or (text or "").startswith("/") or any(":" in part or "\0" in part for part in parts):
        raise LockError(f"The subdirectory `{ascii((text or '')[:200])[1:-1]}` leads out of its source tree")
    return "/".join(parts) or None
