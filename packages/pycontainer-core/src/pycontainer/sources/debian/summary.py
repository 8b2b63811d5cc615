"""What a `.deb` holds, without its files: all that is asked of it once its layer is written.

    summary.scripts["postinst"], summary.conffiles, summary.libraries

It follows from the bytes of the `.deb` alone, so that one summary serves every base image.
"""

from __future__ import annotations

import msgspec

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.package import BinaryPackage


class PackedPath(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry of `data.tar`.

    Attributes:
        path: As it is packed, relative to the root, without slash at either end: `usr/bin/ffmpeg`.
            `BaseTree.canonical` tells where it goes, `filters.is_left_out` whether it does.
        kind: A file, directory, symbolic or hard link.
        target: Of a symbolic link, as it is stored; of a hard link, a path like `path`.
        mode: Permission bits, with set-user-ID, set-group-ID and sticky.
        user: The owner's name; empty where only the number is packed.
        group: The group's name.
        uid: The owner's number.
        gid: The group's number.
        size: Bytes of a file.
    """

    path: str
    kind: Kind
    target: str = ""
    mode: int = 0o644
    user: str = ""
    group: str = ""
    uid: int = 0
    gid: int = 0
    size: int = 0


class SharedLibrary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An ELF file of type `ET_DYN` that has a `DT_SONAME`.

    Attributes:
        path: As in `PackedPath`.
        soname: Its `DT_SONAME`.
        bits: 32 or 64, by `EI_CLASS`.
        machine: `e_machine`: 62 for x86-64, 183 for AArch64.
        flags: `e_flags`: on 32-bit ARM, they tell the float ABI.
    """

    path: str
    soname: str
    bits: int = 64
    machine: int = 62
    flags: int = 0


class DebSummary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A `.deb`.

    Attributes:
        package: What its control paragraph says.
        control: That paragraph, as it stands in `control.tar`, ending with a newline.
        scripts: The maintainer scripts by name: `preinst`, `postinst`, `prerm`, `postrm`, `config`.
        members: The other members of `control.tar` by name, each whole: `conffiles`, `md5sums`, `triggers`, `shlibs`, …
        paths: Of `data.tar`, in its order; the root is left out.
        libraries: Among its files.
        kept: The contents of files that the effects of scripts need, by `PackedPath.path`; see `kept.py`.
        sums: MD5, in hexadecimal, of configuration files by path; of all files where the package has no `md5sums`.
    """

    package: BinaryPackage
    control: str
    scripts: dict[str, str] = {}
    members: dict[str, str] = {}
    paths: tuple[PackedPath, ...] = ()
    libraries: tuple[SharedLibrary, ...] = ()
    kept: dict[str, bytes] = {}
    sums: dict[str, str] = {}

    @property
    def conffiles(self) -> tuple[str, ...]:
        """The paths of its configuration files, relative to the root."""
        return conffile_paths(self.members.get("conffiles", ""))

    @property
    def md5sums(self) -> str:
        """Lines of digest, two spaces and path relative to the root; empty where the package has none."""
        return self.members.get("md5sums", "")

    @property
    def triggers(self) -> str:
        """The lines of deb-triggers(5)."""
        return self.members.get("triggers", "")


def conffile_paths(text: str) -> tuple[str, ...]:
    """The paths in a `conffiles` that are in the package, relative to the root (deb-conffiles(5))."""
    lines = (line.split(" ") for line in text.splitlines() if line.strip())
    return tuple(path.strip("/") for *flags, path in lines if "remove-on-upgrade" not in flags)
