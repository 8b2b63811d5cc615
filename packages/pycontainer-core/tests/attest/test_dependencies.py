"""Which package needs which is what `importlib.metadata` would say in the container."""

from __future__ import annotations

from pycontainer.attest.dependencies import dependencies
from pycontainer.oci import Platform
from pycontainer.sources.target import Libc, PythonVersion, Target

TARGET = Target(platform=Platform("linux", "arm64"), python=PythonVersion(3, 12, 4), libc=Libc("glibc", 2, 36))


def needs(requires: dict[str, tuple[str, ...]], **extras: str) -> dict[str, tuple[str, ...]]:
    asked = {name: frozenset({extra}) for name, extra in extras.items()}
    return dependencies(requires, TARGET.environment, extras=asked)


def test_markers_are_those_of_the_target() -> None:
    lines = (
        "arm; platform_machine == 'aarch64'",
        "intel; platform_machine == 'x86_64'",
        "win; sys_platform == 'win32'",
        "Old.Name >= 2 ; python_version < '3.13'",
    )
    found = needs({"app": lines, "arm": (), "intel": (), "win": (), "old-name": ()})
    assert found["app"] == ("arm", "old-name")


def test_extras_are_those_that_somebody_asks_for() -> None:
    requires = {
        "app": ("client[fast]", "plugin; extra == 'all'"),
        "client": ("engine[turbo]; extra == 'fast'", "slow; extra == 'slow'"),
        "engine": ("booster; extra == 'turbo'",),
        "plugin": (),
        "slow": (),
        "booster": (),
    }
    assert needs(requires) == {
        "app": ("client",),
        "client": ("engine",),
        "engine": ("booster",),
        "plugin": (),
        "slow": (),
        "booster": (),
    }
    assert needs(requires, app="all")["app"] == ("client", "plugin")


def test_what_is_not_installed_or_malformed_or_oneself_is_no_edge() -> None:
    lines = ("absent", "app[extra]", "== nonsense", "other; no_such_marker == 'x'", "present")
    assert needs({"app": lines, "present": (), "other": ()})["app"] == ("present",)
