"""Targets: the machine and the Python that an image is for, which is never the host.

target = Target(
    platform=Platform("linux", "arm64"), python=PythonVersion(3, 12, 4), libc=Libc("glibc", 2, 36)
)
str(target)              # "linux/arm64 (CPython 3.12.4, glibc 2.36)"
target.tags[0]           # <cp312-cp312-linux_aarch64>
target.environment       # {"sys_platform": "linux", "platform_machine": "aarch64", …}
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from pycontainer.errors import ConfigError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.tags import Tag

    from pycontainer.oci import Platform

_PYTHON = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3})((?:a|b|rc)\d{1,3})?\+?)?")
_LIBC = re.compile(r"(glibc|musl)[: -]?(\d{1,3})\.(\d{1,3})(?:\.\d+)*")

# What `uname -m` says on the machines that Go's GOARCH/GOARM name.
_MACHINES = {
    ("amd64", None): "x86_64",
    ("arm64", "v8"): "aarch64",
    ("arm", "v7"): "armv7l",
    ("arm", "v6"): "armv6l",
    ("386", None): "i686",
    ("ppc64le", None): "ppc64le",
    ("s390x", None): "s390x",
    ("riscv64", None): "riscv64",
}
# PEP 600 names the perennial tags, PEPs 513, 571 and 599 their older aliases.
_MANYLINUX_ALIASES = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# The oldest glibc anybody builds wheels for, by machine; armv6l has no manylinux at all.
_OLDEST_GLIBC = {"x86_64": 5, "i686": 5, "aarch64": 17, "armv7l": 17, "ppc64le": 17, "s390x": 17, "riscv64": 17}


class PythonVersion(Value, frozen=True):
    """A version of CPython; `micro` is none where only the feature version is known.

    Attributes:
        pre: `a1`, `b2` or `rc1` of a version that is not final.
    """

    major: int
    minor: int
    micro: int | None = None
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> PythonVersion:
        """Read `3.12`, `3.12.4` or `3.14.0rc2`.

        Raises:
            ConfigError: Anything else.
        """
        match = _PYTHON.fullmatch(text.strip())
        if match is None:
            raise ConfigError(f"`{text[:40]}` is not a Python version", facts=["expected: `3.12` or `3.12.4`"])
        major, minor, micro, pre = match.groups()
        return cls(int(major), int(minor), None if micro is None else int(micro), pre or "")

    def __str__(self) -> str:
        return self.feature if self.micro is None else f"{self.feature}.{self.micro}{self.pre}"

    @property
    def feature(self) -> str:
        """`3.12`: what names directories and tags."""
        return f"{self.major}.{self.minor}"

    @property
    def full(self) -> str:
        """`3.12.4`; where the micro version is not known, the first of its series, as uv and Poetry assume."""
        return f"{self.feature}.{self.micro or 0}{self.pre}"


class Libc(Value, frozen=True):
    """The C library of a base image: what a wheel with native code is linked to."""

    kind: Literal["glibc", "musl"]
    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Libc:
        """Read `glibc:2.36`, `glibc 2.36` or `musl:1.2.5` (musl's patch number says nothing about wheels).

        Raises:
            ConfigError: Anything else.
        """
        match = _LIBC.fullmatch(text.strip())
        if match is None:
            raise ConfigError(f"`{text[:40]}` is not a libc", facts=["expected: `glibc:2.36` or `musl:1.2`"])
        return cls(cast("Literal['glibc', 'musl']", match[1]), int(match[2]), int(match[3]))

    def __str__(self) -> str:
        return f"{self.kind} {self.major}.{self.minor}"


class Target(Value, frozen=True, kw_only=True):
    """Platform, Python and libc of an image, which say what wheels fit and what markers hold.

    Raises:
        ConfigError: A platform on which no wheel can be chosen: not Linux, or an unknown architecture.
    """

    platform: Platform
    python: PythonVersion
    libc: Libc
    free_threaded: bool = False

    def __post_init__(self) -> None:
        _machine(self.platform)

    def __str__(self) -> str:
        threads = ", free-threaded" if self.free_threaded else ""
        return f"{self.platform} (CPython {self.python}{threads}, {self.libc})"

    @property
    def machine(self) -> str:
        """What `uname -m` says there: `x86_64`, `aarch64`, `armv7l`."""
        return _machine(self.platform)

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The wheel tags that fit, best first: what `packaging.tags.sys_tags()` gives on such a machine."""
        return _tags(self)

    @property
    def environment(self) -> Mapping[str, str]:
        """All eleven environment markers (*Dependency specifiers*, Environment Markers); none comes from the host.

        The kernel of the machine that will run the image is not known when it is built, so `platform_release` and
        `platform_version` are empty.
        """
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python.full,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.python.full,
            "python_version": self.python.feature,
            "sys_platform": "linux",
        }


def _machine(platform: Platform) -> str:
    normalized = platform.normalized
    # amd64/v2 and the like are levels of one architecture, and wheels do not name them.
    variant = normalized.variant if normalized.architecture in {"arm", "arm64"} else None
    if normalized.architecture == "arm64":
        variant = "v8"
    machine = _MACHINES.get((normalized.architecture, variant))
    if platform.os != "linux" or machine is None:
        raise ConfigError(
            f"Wheels cannot be chosen for `{platform}`",
            facts=["supported: linux on amd64, arm64, arm/v7, arm/v6, 386, ppc64le, s390x, riscv64"],
        )
    return machine


@lru_cache(maxsize=64)
def _tags(target: Target) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 - 30 ms, and only needed to choose wheels

    python = (target.python.major, target.python.minor)
    interpreter = f"cp{python[0]}{python[1]}"
    platforms = list(_platforms(target.machine, target.libc))
    # With `abis` given, packaging reads nothing of the host.
    abi = f"{interpreter}t" if target.free_threaded else interpreter
    specific = cpython_tags(python_version=python, abis=[abi], platforms=platforms)
    return (*specific, *compatible_tags(python_version=python, interpreter=interpreter, platforms=platforms))


def _platforms(machine: str, libc: Libc) -> Iterator[str]:
    """Platform tags, best first: built on that very machine, then the newest libc down to the oldest."""
    yield f"linux_{machine}"
    if libc.kind == "musl":
        yield from (f"musllinux_{libc.major}_{minor}_{machine}" for minor in range(libc.minor, -1, -1))
    elif libc.major == 2 and machine in _OLDEST_GLIBC:  # noqa: PLR2004 - there has been no other since 1997
        for minor in range(libc.minor, _OLDEST_GLIBC[machine] - 1, -1):
            yield f"manylinux_{libc.major}_{minor}_{machine}"
            if alias := _MANYLINUX_ALIASES.get((libc.major, minor)):
                yield f"{alias}_{machine}"
