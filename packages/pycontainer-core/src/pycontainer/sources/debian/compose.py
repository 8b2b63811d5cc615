"""A base image made of packages alone: `deb:bookworm`.

    wishes = base_wishes(packages=(), added=("libpq5",), exclude=())
    state = empty_state("bookworm", "amd64")
    foundation = FoundationRecipe(tree=state.tree)        # the lowest layer, below those of the packages

It is what `python:slim` is for Python and distroless is for size: no shell, no package manager, the distribution's own
Python with all of its standard library. Which packages that takes is data here; the rest of the work is the same as
for packages that are added to any other base.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pycontainer.layers.recipe import recipe_key
from pycontainer.layers.record import LayerContents
from pycontainer.oci import ContainerConfig, ImageConfig
from pycontainer.sources.debian.choose import Wishes
from pycontainer.sources.debian.state import DebianState
from pycontainer.sources.debian.tree import BaseTree
from pycontainer.sources.target import PythonVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.oci import Platform
    from pycontainer.sources.debian.package import BinaryPackage

DISTRIBUTION: Final = "debian"
# Wheels are linked to libstdc++; libc-bin has the locale C.UTF-8; base-files says which Debian this is.
_PACKAGES: Final = ("base-files", "ca-certificates", "libc-bin", "libstdc++6", "netbase", "python3", "tzdata")
# What their dependencies want for their own installation, which never happens: nothing of it is used later.
_NOT_NEEDED: Final = frozenset(
    {"awk", "debconf", "debconf-2.0", "dpkg", "install-info", "mawk", "openssl", "perl-base"}
)
_PYTHON: Final = re.compile(r"python(3\.\d{1,3})-minimal")
_UPSTREAM: Final = re.compile(r"(\d{1,3}\.\d{1,3}\.\d{1,3})(?:~((?:a|b|rc)\d{1,3}))?(?![\d.])")
_CREATED: Final = "1970-01-01T00:00:00Z"
_UID: Final = 65532
_HOME: Final = "home/nonroot"
# The owners that files of packages have, as base-passwd numbers them (Debian Policy 9.2.2), and who runs the image.
_PASSWD: Final = f"""\
root:x:0:0:root:/root:/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
nonroot:x:{_UID}:{_UID}:nonroot:/{_HOME}:/usr/sbin/nologin
"""
_GROUP: Final = f"""\
root:x:0:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
man:x:12:
audio:x:29:
www-data:x:33:
shadow:x:42:
utmp:x:43:
video:x:44:
staff:x:50:
games:x:60:
users:x:100:
nogroup:x:65534:
nonroot:x:{_UID}:
"""
# Where /usr is merged, these are links; base-files of Debian 13 takes one away again that leads nowhere.
_LINKS: Final = ("bin", "lib", "sbin")
# The architectures whose loader is in /lib64.
_LIB64: Final = frozenset({"amd64", "ppc64el", "loong64"})
# Where OpenSSL looks for certificates; a file is read at once, a folder only when a server is asked.
_OPENSSL: Final = {
    "usr/lib/ssl/cert.pem": "/etc/ssl/certs/ca-certificates.crt",
    "usr/lib/ssl/certs": "/etc/ssl/certs",
}
# Without it, the C library asks DNS before it looks at /etc/hosts.
_NSSWITCH: Final = """\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
"""
_FILES: Final = {"etc/group": _GROUP, "etc/nsswitch.conf": _NSSWITCH, "etc/passwd": _PASSWD}


def base_wishes(
    *, packages: Sequence[str], added: Sequence[str], exclude: Sequence[str], unconfigured: frozenset[str]
) -> Wishes:
    """What a composed base is made of.

    Args:
        packages: In place of the usual ones; empty means those.
        added: What the application needs besides, solved together with them.
        exclude: What else to leave out.
        unconfigured: Packages whose scripts need not be run.
    """
    wanted = (*(packages or _PACKAGES), *added)
    names = {wish.partition("=")[0] for wish in wanted}
    return Wishes(
        packages=tuple(dict.fromkeys(wanted)),
        exclude=tuple(sorted({*exclude, *_NOT_NEEDED} - names)),
        unconfigured=unconfigured,
    )


def packaged_python(packages: Sequence[BinaryPackage]) -> PythonVersion | None:
    """The version of Debian's own Python among packages; none where it is not among them."""
    for package in packages:
        if (named := _PYTHON.fullmatch(package.name)) and (version := _UPSTREAM.match(package.version)):
            python = PythonVersion.parse(f"{version[1]}{version[2] or ''}")
            if python.feature == named[1]:
                return python
    return None


def standard_library(python: PythonVersion) -> tuple[str, ...]:
    """Where Debian's Python has its modules and those of packages; relative, with a slash at the end."""
    return f"usr/lib/python{python.feature}/", "usr/lib/python3/dist-packages/"


def empty_state(suite: str, architecture: str) -> DebianState:
    """What packages are installed upon: the files of `FoundationRecipe`, and no package."""
    links = (*_LINKS, "lib64") if architecture in _LIB64 else _LINKS
    return DebianState(
        distribution=DISTRIBUTION,
        codename=suite,
        architecture=architecture,
        tree=BaseTree(directories={"": ()}, links={link: f"usr/{link}" for link in links}),
        database="status.d",
        files={path: content.encode() for path, content in _FILES.items()},
    )


def base_config(platform: Platform) -> ImageConfig:
    """The config of a composed base, its layers not counted in yet."""
    normal = platform.normalized
    return ImageConfig(
        created=_CREATED,
        os=normal.os,
        architecture=normal.architecture,
        variant=normal.variant,
        config=ContainerConfig(
            user=f"{_UID}:{_UID}",
            env=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"),
            cmd=("python3",),
            working_dir="/",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class FoundationRecipe:
    """The lowest layer of a composed base.

    It has the links of merged /usr, the accounts and a home, nsswitch.conf(5), and where OpenSSL finds certificates.
    """

    tree: BaseTree
    title: str = "foundation"

    @cached_property
    def key(self) -> str:
        """The key over all that is in it."""
        return recipe_key("debian foundation", [self.tree.links, _FILES, _OPENSSL, _HOME, _UID])

    def write(self, writer: LayerWriter) -> LayerContents:
        """Write directories, links and files."""
        for path in sorted({"etc", "home", "usr", "usr/lib", "usr/lib/ssl", *self.tree.links.values()}):
            writer.directory(path)
        writer.directory(_HOME, mode=0o700, uid=_UID, gid=_UID)
        for path, target in sorted({**self.tree.links, **_OPENSSL}.items()):
            writer.symlink(path, target)
        for path, content in sorted(_FILES.items()):
            writer.file(path, content.encode())
        return LayerContents(files=len(_FILES), size=sum(map(len, _FILES.values())))
