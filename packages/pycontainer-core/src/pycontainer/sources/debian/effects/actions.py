"""What a maintainer script does to the system, as values: the few things that pycontainer does in its place.

Paths are absolute in the image. What a script does is recorded in order, since later actions build on earlier ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, kw_only=True, slots=True)
class Ldconfig:
    """`ldconfig`: the cache of shared libraries is written again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateCaCertificates:
    """`update-ca-certificates`: the bundle of certificates is written again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateMimeDatabase:
    """`update-mime-database /usr/share/mime`: the forms of the MIME database that programs read are written again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdatePixbufLoaders:
    """`gdk-pixbuf-query-loaders`: the list of the formats that gdk-pixbuf reads is written again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternative:
    """`update-alternatives --install`.

    Attributes:
        name: Of the group: `pager`.
        link: The link that people use: `/usr/bin/pager`.
        path: What it may lead to: `/usr/bin/less`.
        priority: The highest wins.
        slaves: Name → link and path of what follows the choice.
    """

    name: str
    link: str
    path: str
    priority: int
    slaves: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AddGroup:
    """A group of the system. `descending` is the way of `groupadd`, which takes the highest free number."""

    name: str
    gid: int | None = None
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AddUser:
    """A user of the system.

    Attributes:
        name: Its name.
        uid: Its number, where the script chooses it.
        group: An existing group; empty for one of its own, named like it.
        home: Its home, which is not made.
        shell: Its shell.
        gecos: Its full name.
        descending: As `AddGroup.descending`.
    """

    name: str
    uid: int | None = None
    group: str = ""
    home: str = "/nonexistent"
    shell: str = "/usr/sbin/nologin"
    gecos: str = ""
    descending: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class MakeDirectory:
    """A directory that no package has."""

    path: str
    mode: int = 0o755


@dataclass(frozen=True, kw_only=True, slots=True)
class MakeFile:
    """A file that no package has, whose content is in the script."""

    path: str
    content: str = field(default="", repr=False)
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True, slots=True)
class MakeLink:
    """A symbolic link that no package has."""

    path: str
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeAttributes:
    """Another mode or owner of a directory, or of a file that a script made; none where it stays."""

    path: str
    mode: int | None = None
    user: str | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Divert:
    """`dpkg-divert --no-rename`: other packages' files of this path would go elsewhere; no package has one."""

    path: str
    other: str
    package: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Remove:
    """A packaged symbolic link, or an empty folder, that a script takes away again."""

    path: str


Action: TypeAlias = (
    Ldconfig
    | UpdateCaCertificates
    | UpdateMimeDatabase
    | UpdatePixbufLoaders
    | Alternative
    | AddGroup
    | AddUser
    | MakeDirectory
    | MakeFile
    | MakeLink
    | ChangeAttributes
    | Divert
    | Remove
)
