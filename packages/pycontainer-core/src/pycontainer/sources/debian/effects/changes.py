"""What is written in the place of maintainer scripts: the files, links and folders that the actions come to.

    changes = SystemChanges(system, summaries, actions)
    changes.write(writer)

Folders that the base has are never written again, and files of the base only where an action changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pycontainer.errors import DocumentError
from pycontainer.layers.entries import Kind
from pycontainer.layers.record import LayerContents
from pycontainer.sources.debian.effects.accounts import Accounts
from pycontainer.sources.debian.effects.actions import (
    AddGroup,
    AddUser,
    Alternative,
    ChangeAttributes,
    Divert,
    MakeDirectory,
    MakeFile,
    MakeLink,
    Remove,
    UpdateCaCertificates,
    UpdateMimeDatabase,
    UpdatePixbufLoaders,
)
from pycontainer.sources.debian.effects.alternatives import DATABASE, AlternativeGroup, read_alternatives
from pycontainer.sources.debian.effects.certificates import BUNDLE, CONFIGURATION, LOCAL, PACKAGED, trust
from pycontainer.sources.debian.effects.library_cache import updated_library_cache
from pycontainer.sources.debian.effects.mime_database import FOLDER as MIME_FOLDER
from pycontainer.sources.debian.effects.mime_database import mime_database
from pycontainer.sources.debian.effects.pixbuf_loaders import pixbuf_loaders
from pycontainer.sources.debian.kept import MAX_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.installed import InstalledSystem
    from pycontainer.sources.debian.summary import DebSummary

_FILE: Final = 0o644
_DIRECTORY: Final = 0o755
# Files that only root may read, and the group `shadow`.
_SECRET: Final = 0o640
_ACCOUNTS: Final = ("passwd", "group", "shadow", "gshadow")
_DIVERSIONS: Final = "var/lib/dpkg/diversions"


@dataclass(frozen=True, kw_only=True, slots=True)
class _File:
    content: bytes
    mode: int = _FILE
    uid: int = 0
    gid: int = 0


class SystemChanges:
    """The files of the last layer, by their canonical path relative to the root.

    Args:
        system: The base and the packages.
        summaries: Of the packages.
        actions: What is done in the place of their scripts, in order.

    Raises:
        PackageError: No number is left for an account.
        DocumentError: A file of the base that is changed is malformed.
    """

    def __init__(self, system: InstalledSystem, summaries: Sequence[DebSummary], actions: Sequence[Action]) -> None:
        self._system = system
        self._base = system.state.files
        self._files: dict[str, _File] = {}
        self._links: dict[str, str] = {}
        self._directories: dict[str, tuple[int, int, int]] = {}
        self._removed: set[str] = set()
        self._groups: dict[str, AlternativeGroup] = {}
        self._diversions: list[Divert] = []
        self._accounts = self._read_accounts()
        for action in actions:
            self._do(action)
        self._write_alternatives()
        self._write_diversions()
        if any(isinstance(action, UpdateCaCertificates) for action in actions):
            self._write_certificates(summaries)
        if any(isinstance(action, AddUser | AddGroup) for action in actions):
            self._write_accounts()
        if any(isinstance(action, UpdateMimeDatabase) for action in actions):
            self._write_mime_database()
        if any(isinstance(action, UpdatePixbufLoaders) for action in actions):
            self._write_pixbuf_loaders()
        self._write_library_cache(summaries)

    def file(self, path: str, content: bytes, *, mode: int = _FILE) -> None:
        """Another file, by its canonical path."""
        self._files[path] = _File(content=content, mode=mode)

    def remove(self, path: str) -> None:
        """A file of the base that is no more."""
        self._removed.add(path)

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write folders, then files and links, in the order of their paths."""
        for path in [*self._files, *self._links, *self._directories]:
            self._add_parents(path)
        for path, (mode, uid, gid) in sorted(self._directories.items()):
            writer.directory(path, mode=mode, uid=uid, gid=gid)
        for path, file in sorted(self._files.items()):
            writer.file(path, file.content, mode=file.mode, uid=file.uid, gid=file.gid)
        for path, target in sorted(self._links.items()):
            writer.symlink(path, target)
        for path in sorted(self._removed - self._files.keys() - self._links.keys()):
            writer.whiteout(path)
        size = sum(len(file.content) for file in self._files.values())
        return LayerContents(files=len(self._files) + len(self._links), size=size)

    def _do(self, action: Action) -> None:
        if isinstance(action, AddUser | AddGroup):
            self._accounts.add(action)
        elif isinstance(action, Alternative):
            self._groups[action.name] = self._group(action).with_choice(action)
        elif isinstance(action, MakeDirectory):
            self._directories[self._system.canonical(action.path)] = action.mode, 0, 0
        elif isinstance(action, MakeFile):
            self._files[self._system.canonical(action.path)] = _File(content=action.content.encode(), mode=action.mode)
        elif isinstance(action, MakeLink):
            self._links[self._system.canonical(action.path)] = action.target
        elif isinstance(action, Remove):
            path = self._system.canonical(action.path)
            self._links.pop(path, None)
            if self._system.packed(path) is not None:
                self.remove(path)
        elif isinstance(action, Divert):
            self._diversions.append(action)
        elif isinstance(action, ChangeAttributes):
            self._change(action)

    def _change(self, action: ChangeAttributes) -> None:
        path = self._system.canonical(action.path)
        file = self._files.get(path)
        packed = self._system.packed(path)
        if file is not None:
            mode, uid, gid = file.mode, file.uid, file.gid
        elif path in self._directories:
            mode, uid, gid = self._directories[path]
        elif packed is not None:
            mode, uid, gid = packed.mode, packed.uid, packed.gid
        else:
            mode, uid, gid = _DIRECTORY, 0, 0
        mode = mode if action.mode is None else action.mode
        uid = uid if action.user is None else self._accounts.number("passwd", action.user) or 0
        gid = gid if action.group is None else self._accounts.number("group", action.group) or 0
        if file is not None:
            self._files[path] = replace(file, mode=mode, uid=uid, gid=gid)
        else:
            self._directories[path] = mode, uid, gid

    # Accounts

    def _read_accounts(self) -> Accounts:
        found = {name: self._base.get(f"etc/{name}") for name in _ACCOUNTS}
        return Accounts({name: text.decode("utf-8", "replace") for name, text in found.items() if text is not None})

    def _write_accounts(self) -> None:
        shadow = self._accounts.number("group", "shadow") or 0
        for name, text in self._accounts.files.items():
            secret = name in {"shadow", "gshadow"}
            self._files[f"etc/{name}"] = _File(
                content=text.encode(), mode=_SECRET if secret else _FILE, gid=shadow if secret else 0
            )

    # Alternatives and diversions

    def _group(self, action: Alternative) -> AlternativeGroup:
        group = self._groups.get(action.name)
        if group is None:
            text = self._base.get(f"{DATABASE}/{action.name}".lstrip("/"))
            if text is None:
                group = AlternativeGroup(name=action.name, link=action.link)
            else:
                group = read_alternatives(action.name, text.decode("utf-8", "replace"))
        return group

    def _write_alternatives(self) -> None:
        for name, group in sorted(self._groups.items()):
            self.file(f"{DATABASE}/{name}".lstrip("/"), group.text.encode())
            for path, target in group.links(lambda path: self._system.find(path) is not None).items():
                there = self._system.find(path, follow=False)
                # As update-alternatives: a file that somebody else has is not replaced by a link.
                if there is None or there.kind is Kind.SYMLINK:
                    self._links[self._system.canonical(path)] = target

    def _write_diversions(self) -> None:
        if not self._diversions:
            return
        lines = self._base.get(_DIVERSIONS, b"").decode("utf-8", "replace")
        lines += "".join(f"{each.path}\n{each.other}\n{each.package}\n" for each in self._diversions)
        self.file(_DIVERSIONS, lines.encode())

    # MIME types and image formats

    def _write_mime_database(self) -> None:
        folder = f"{MIME_FOLDER}/packages"
        sources = {name: self._content(f"{folder}/{name}") for name in self._system.names(folder)}
        version = self._system.version("shared-mime-info")
        for path, content in mime_database(sources, version=version).items():
            self.file(self._system.canonical(f"{MIME_FOLDER}/{path}"), content)

    def _write_pixbuf_loaders(self) -> None:
        for path, text in pixbuf_loaders(self._system).items():
            self.file(self._system.canonical(path), text.encode())

    def _content(self, path: str) -> bytes:
        content = self._system.known_content(path)
        if content is None:
            raise DocumentError(f"`{path}` of the base image is larger than {MAX_KEPT >> 20} MiB")
        return content

    # Certificates and libraries

    def _write_certificates(self, summaries: Sequence[DebSummary]) -> None:
        start = PACKAGED.lstrip("/") + "/"
        certificates = {
            path.removeprefix(start): content
            for summary in summaries
            for path, content in summary.kept.items()
            if path.startswith(start)
        }
        local_start = LOCAL.lstrip("/") + "/"
        local = {
            path.removeprefix(local_start): content
            for path, content in self._base.items()
            if path.startswith(local_start)
        }
        result = trust(certificates=certificates, local=local)
        self.file(self._system.canonical(CONFIGURATION), result.configuration.encode())
        self.file(self._system.canonical(BUNDLE), result.bundle)
        for path, target in result.links.items():
            self._links[self._system.canonical(path)] = target

    def _write_library_cache(self, summaries: Sequence[DebSummary]) -> None:
        cache = updated_library_cache(self._system, summaries, self._links)
        if cache is None:
            return
        self.file("etc/ld.so.cache", cache.content)
        self._links |= {path: target for path, target in cache.links.items() if path not in self._links}

    # Folders

    def _add_parents(self, path: str) -> None:
        """The folders on the way to a path that neither the base nor a package has."""
        folder = path.rpartition("/")[0]
        while folder and folder not in self._directories and self._system.find(f"/{folder}") is None:
            self._directories[folder] = _DIRECTORY, 0, 0
            folder = folder.rpartition("/")[0]
