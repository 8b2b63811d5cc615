"""Debian's names of architectures.

debian_architecture(Platform.parse("linux/arm/v7"))     # "armhf"
oci_architecture("armhf")                               # "arm"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.errors import PackageError

if TYPE_CHECKING:
    from pycontainer.oci import Platform

_NAMES: Final = {
    ("386", None): "i386",
    ("amd64", None): "amd64",
    ("arm", "v5"): "armel",
    ("arm", "v6"): "armel",
    ("arm", "v7"): "armhf",
    ("arm64", "v8"): "arm64",
    ("mips64le", None): "mips64el",
    ("ppc64le", None): "ppc64el",
    ("riscv64", None): "riscv64",
    ("s390x", None): "s390x",
}
# Where the two are not the same word.
_OCI: Final = {"armel": "arm", "armhf": "arm", "i386": "386", "mips64el": "mips64le", "ppc64el": "ppc64le"}


def oci_architecture(debian: str) -> str:
    """The architecture as OCI platforms name it."""
    return _OCI.get(debian, debian)


def debian_architecture(platform: Platform) -> str:
    """The architecture of Debian's packages for a platform.

    Raises:
        PackageError: Debian has none for it.
    """
    normal = platform.normalized
    # Packages of amd64 run on every variant of it (v2, v3), those of arm64 on every later one.
    for variant in (normal.variant, "v8" if normal.architecture == "arm64" else None):
        if name := _NAMES.get((normal.architecture, variant)):
            return name
    raise PackageError(f"Debian has no packages for {platform}", hint="Set {platform} to one such as `linux/amd64`")
