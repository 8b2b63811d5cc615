"""The files of a project, fingerprinted.

files = collect_files(root, rules=IgnoreRules.of(root))
files[0].path, files[0].sha256
"""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.errors import ProjectError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.blobs.fingerprints import KnownFiles
    from pycontainer.sources.files.ignore import IgnoreRules

_MAX_COMPONENT = 255  # bytes of one name, on every file system that runs containers
_MAX_PATH = 4096


class SourceFile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One file or symbolic link.

    Attributes:
        path: Relative to the root, with `/`.
        root: The folder on this host that it was collected from.
        mode: 0o755 when anybody may execute it, else 0o644.
        size: In bytes; zero for a link.
        sha256: Of its content, hexadecimal; empty for a link.
        target: What a link points to, as written.
    """

    path: str
    root: Path
    mode: int = 0o644
    size: int = 0
    sha256: str = ""
    target: str | None = None

    @property
    def source(self) -> Path:
        """Where its bytes are on this host."""
        return self.root / self.path


def collect_files(
    root: Path,
    *,
    rules: IgnoreRules,
    include: Sequence[str] = (),
    skip: Sequence[Path] = (),
    fingerprints: Fingerprints | None = None,
) -> tuple[SourceFile, ...]:
    """Every file below `root` that the rules let in, in the order of its path.

    Args:
        root: The project's directory.
        rules: What stays out.
        include: Files and folders, relative to the root; empty means everything. A file that is named itself is taken
            whatever the rules say.
        skip: Paths on this host that are never taken: outputs and caches inside the project.
        fingerprints: What is known of files from earlier builds; none means that all are hashed.

    Raises:
        ProjectError: A path that does not exist or leaves the project, a link that points out of it, a name that
            cannot stand in an image.
    """
    root = root.resolve()
    found: dict[str, SourceFile] = {}
    with (fingerprints or Fingerprints(None)).below(root, "files", *include) as known:
        walk = _Walk(root, rules, frozenset(str(path.resolve()) for path in skip), known)
        walk.rules.enter("")
        for name in include or ("",):
            for file in walk.named(name):
                found[file.path] = file
    return tuple(found[path] for path in sorted(found))


class _Walk(Value, frozen=True):
    """The way through the folders. Paths are texts here: to make objects of them takes longer than all the rest."""

    root: Path
    rules: IgnoreRules
    skip: frozenset[str]
    known: KnownFiles

    def named(self, name: str) -> Iterator[SourceFile]:
        relative = PurePosixPath(name.replace(os.sep, "/"))
        if relative.is_absolute() or ".." in relative.parts:
            raise ProjectError(
                f"`{name}` is outside the project",
                facts=[f"project: {self.root}"],
                hint="Name files of the project in {include_paths}; use {extra_files} for others",
            )
        path = self.root / relative
        if not path.exists() and not path.is_symlink():
            raise ProjectError(
                f"`{name}` does not exist", facts=[f"project: {self.root}"], hint="Correct {include_paths}"
            )
        if path.is_dir() and not path.is_symlink():
            folder = "" if relative == PurePosixPath() else f"{relative}/"
            yield from self.folder(folder)
        elif (file := self.file(str(path), str(relative))) is not None:
            yield file

    def folder(self, folder: str) -> Iterator[SourceFile]:
        if folder:
            self.rules.enter(folder)
        with os.scandir(self.root / folder) as entries:
            children = sorted(entries, key=lambda entry: entry.name)
        for entry in children:
            if entry.path in self.skip:
                continue
            relative = f"{folder}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if not self.rules.excludes(f"{relative}/") or self.rules.may_return:
                    yield from self.folder(f"{relative}/")
            elif not self.rules.excludes(relative) and (file := self.file(entry.path, relative)) is not None:
                yield file

    def file(self, path: str, relative: str) -> SourceFile | None:
        check_name(relative)
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return SourceFile(path=relative, root=self.root, mode=0o777, target=self.link(Path(path), relative))
            if not stat.S_ISREG(status.st_mode):
                return None  # sockets, pipes and devices are not content
            sha256 = self.known.sha256(relative, path, status)
        except OSError as error:
            raise ProjectError(f"`{relative}` cannot be read", facts=[f"file: {path}", str(error)]) from error
        mode = 0o755 if status.st_mode & 0o111 else 0o644
        return SourceFile(path=relative, root=self.root, mode=mode, size=status.st_size, sha256=sha256)

    def link(self, path: Path, relative: str) -> str:
        target = str(path.readlink())
        try:
            inside = path.resolve(strict=False).is_relative_to(self.root)
        except (OSError, RuntimeError) as error:  # Python up to 3.12 raises RuntimeError for a loop
            raise ProjectError(f"The link `{relative}` leads to itself", facts=[f"file: {path}"]) from error
        if Path(target).is_absolute() or not inside:
            raise ProjectError(
                f"The link `{relative}` leads out of the project",
                facts=[f"file: {path}", f"target: {target}"],
                hint="Leave it out with {exclude_paths}, or put the file into the project",
            )
        if not path.exists():
            raise ProjectError(
                f"The link `{relative}` leads nowhere",
                facts=[f"file: {path}", f"target: {target}"],
                hint="Leave it out with {exclude_paths}",
            )
        return target.replace(os.sep, "/")


def check_name(path: str) -> None:
    """Refuse a path that cannot stand in a layer.

    Raises:
        ProjectError: Not UTF-8, a component over 255 bytes, a path over 4,096, a whiteout's name.
    """
    try:
        encoded = path.encode()
    except UnicodeEncodeError as error:
        shown = path.encode(errors="backslashreplace").decode()
        raise ProjectError(
            f"The name of `{shown}` is not UTF-8", hint="Rename it or leave it out with {exclude_paths}"
        ) from error
    if len(encoded) > _MAX_COMPONENT and (
        len(encoded) > _MAX_PATH or any(len(part) > _MAX_COMPONENT for part in encoded.split(b"/"))
    ):
        raise ProjectError(f"The name of `{path[:80]}…` is too long", facts=["limit: 255 bytes a name, 4,096 a path"])
    if ".wh." in path and any(part.startswith(".wh.") for part in path.split("/")):
        raise ProjectError(
            f"`{path}` would delete a file of the base image",
            facts=["names that begin with `.wh.` mean deletion in a layer (image-spec, layer.md, Whiteouts)"],
            hint="Rename it or leave it out with {exclude_paths}",
        )
