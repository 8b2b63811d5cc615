r"""Forged Debian packages: good ones in a line, and bad ones with a lie in any field.

path = DebForge(name="demo", files={"usr/bin/demo": b"#!/bin/sh\n"}, fields={"Depends": "libc6"}).write(tmp_path)

members = DebForge().members()
members[1] = replace(members[1], header={"size": "99"})      # the header lies
(tmp_path / "demo_1.0_amd64.deb").write_bytes(forge_ar(members))
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pycontainer.layers.entries import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FLAGS: Final = {kind: kind.value.encode() for kind in Kind}


@dataclass(frozen=True, kw_only=True)
class ForgedFile:
    """An entry of `data.tar`.

    Attributes:
        content: Of a file.
        kind: What it is.
        mode: Permission bits; by default those that fit the kind.
        target: Of a link. That of a hard link is packed with `./` before it.
        user: The owner's name; so for `group`.
        uid: The owner's number; so for `gid`.
    """

    content: bytes = b""
    kind: Kind = Kind.FILE
    mode: int | None = None
    target: str = ""
    user: str = "root"
    group: str = "root"
    uid: int = 0
    gid: int = 0


def forged_link(target: str) -> ForgedFile:
    """A symbolic link."""
    return ForgedFile(kind=Kind.SYMLINK, target=target)


@dataclass(frozen=True, kw_only=True)
class ForgedArMember:
    """A member of an `ar` archive, truthful unless told otherwise.

    Attributes:
        name: Without padding.
        content: Its bytes.
        header: Fields to change: `name`, `time`, `uid`, `gid`, `mode`, `size`, `end`.
        padding: Instead of the newline after a content of odd size.
    """

    name: str
    content: bytes = b""
    header: Mapping[str, str] = field(default_factory=dict)
    padding: bytes | None = None

    def __bytes__(self) -> bytes:
        said = {"time": "0", "uid": "0", "gid": "0", "mode": "100644", "size": str(len(self.content)), "end": "`\n"}
        said |= {"name": self.name, **self.header}
        widths = {"name": 16, "time": 12, "uid": 6, "gid": 6, "mode": 8, "size": 10, "end": 2}
        head = "".join(said[key].ljust(width) for key, width in widths.items()).encode("latin-1")
        padding = b"\n" * (len(self.content) % 2) if self.padding is None else self.padding
        return head + self.content + padding


def forge_ar(members: Sequence[ForgedArMember], *, magic: bytes = b"!<arch>\n", after: bytes = b"") -> bytes:
    """An `ar` archive (deb(5), Format)."""
    return magic + b"".join(bytes(member) for member in members) + after


def forge_tar(files: Mapping[str, bytes | ForgedFile], *, parents: bool = True) -> bytes:
    """A tar as dpkg-deb writes it: in GNU's format, below `./`, symbolic links last.

    Args:
        files: By path; one that begins with a slash or `./` stands as it is.
        parents: Whether directories that lack are added.
    """
    entries = {path: each if isinstance(each, ForgedFile) else ForgedFile(content=each) for path, each in files.items()}
    if parents:
        entries |= {
            folder: ForgedFile(kind=Kind.DIRECTORY)
            for path in files
            for folder in _parents(path)
            if folder not in entries
        }
    later = (Kind.HARD_LINK, Kind.SYMLINK)  # a hard link follows what it names
    order = sorted(entries, key=lambda path: (entries[path].kind in later, entries[path].kind is Kind.SYMLINK, path))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        if parents:
            tar.addfile(_tar_info("./", ForgedFile(kind=Kind.DIRECTORY)))
        for path in order:
            name = path if path.startswith(("/", "./")) else f"./{path}"
            tar.addfile(_tar_info(name, entries[path]), io.BytesIO(entries[path].content))
    return buffer.getvalue()


@dataclass(frozen=True, kw_only=True)
class DebForge:
    """A `.deb`, right in every respect unless told otherwise.

    Attributes:
        fields: Fields of its control paragraph besides name, version, architecture, maintainer and description; one
            of these replaces it.
        files: Content of its files by path, or entries.
        scripts: Maintainer scripts by name.
        conffiles: Paths of configuration files, with a slash before them.
        control_members: Other members of `control.tar`: `triggers`, `shlibs`.
        control: Instead of a right control paragraph.
        data: Instead of a right `data.tar`, uncompressed.
        compression: Of both tars: `xz`, `gz`, `zst`, `bz2`, or empty.
    """

    name: str = "demo"
    version: str = "1.0"
    architecture: str = "amd64"
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes | ForgedFile] = field(default_factory=lambda: {"usr/share/demo/demo.txt": b"demo\n"})
    scripts: Mapping[str, str] = field(default_factory=dict)
    conffiles: Sequence[str] = ()
    control_members: Mapping[str, str] = field(default_factory=dict)
    control: str | None = None
    data: bytes | None = None
    compression: str = "xz"

    @property
    def filename(self) -> str:
        """What a package like this is called; an epoch is no part of it."""
        return f"{self.name}_{self.version.partition(':')[2] or self.version}_{self.architecture}.deb"

    def paragraph(self) -> str:
        """Its control paragraph, ending with a newline."""
        if self.control is not None:
            return self.control
        said = {
            "Package": self.name,
            "Version": self.version,
            "Architecture": self.architecture,
            "Maintainer": "Forge <forge@example.org>",
            "Description": f"forged {self.name}",
            **self.fields,
        }
        return "".join(f"{key}: {value}\n" for key, value in said.items())

    def stanza(self, filename: str | None = None) -> str:
        """Its stanza in an index `Packages`, ending with a newline.

        Args:
            filename: `Filename`, by default in `pool/`.
        """
        content = self.build()
        said = {
            "Filename": filename or f"pool/{self.filename}",
            "Size": str(len(content)),
            "SHA256": hashlib.sha256(content).hexdigest(),
        }
        return self.paragraph() + "".join(f"{key}: {value}\n" for key, value in said.items())

    def members(self) -> list[ForgedArMember]:
        """Its members: `debian-binary`, `control.tar`, `data.tar`."""
        suffix = f".{self.compression}" if self.compression else ""
        data = forge_tar(self.files) if self.data is None else self.data
        return [
            ForgedArMember(name="debian-binary", content=b"2.0\n"),
            ForgedArMember(name=f"control.tar{suffix}", content=forge_compressed(self._control(), self.compression)),
            ForgedArMember(name=f"data.tar{suffix}", content=forge_compressed(data, self.compression)),
        ]

    def build(self) -> bytes:
        """Its bytes."""
        return forge_ar(self.members())

    def write(self, folder: Path) -> Path:
        """Write it into a folder, under its name."""
        path = folder / self.filename
        path.write_bytes(self.build())
        return path

    def _control(self) -> bytes:
        sums = "".join(
            f"{hashlib.md5(content, usedforsecurity=False).hexdigest()}  {path}\n"
            for path, content in sorted(self._contents().items())
            if f"/{path}" not in self.conffiles
        )
        texts = {
            "control": self.paragraph(),
            **({"conffiles": "".join(f"{path}\n" for path in self.conffiles)} if self.conffiles else {}),
            **({"md5sums": sums} if sums else {}),
            **self.control_members,
        }
        files: dict[str, bytes | ForgedFile] = {name: text.encode() for name, text in texts.items()}
        files |= {name: ForgedFile(content=text.encode(), mode=0o755) for name, text in self.scripts.items()}
        return forge_tar(files)

    def _contents(self) -> dict[str, bytes]:
        return {
            path: each if isinstance(each, bytes) else each.content
            for path, each in self.files.items()
            if isinstance(each, bytes) or each.kind is Kind.FILE
        }


def forge_compressed(data: bytes, compression: str) -> bytes:
    """The bytes compressed with `xz`, `gz`, `zst`, `bz2`, or not at all."""
    if compression == "xz":
        return lzma.compress(data, preset=1)
    if compression == "gz":
        return gzip.compress(data, mtime=0)
    if compression == "bz2":
        return bz2.compress(data)
    if compression == "zst":
        zstandard: Any = import_module("zstandard")
        compressed: bytes = zstandard.ZstdCompressor().compress(data)
        return compressed
    return data


def _parents(path: str) -> list[str]:
    parts = path.removeprefix("./").strip("/").split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def _tar_info(name: str, file: ForgedFile) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = _FLAGS[file.kind]
    default = {Kind.DIRECTORY: 0o755, Kind.SYMLINK: 0o777}.get(file.kind, 0o644)
    info.mode = default if file.mode is None else file.mode
    info.uname, info.gname, info.uid, info.gid = file.user, file.group, file.uid, file.gid
    plain = file.kind is not Kind.HARD_LINK or file.target.startswith(("/", "./"))
    info.linkname = file.target if plain else f"./{file.target}"
    info.size = len(file.content)
    return info
