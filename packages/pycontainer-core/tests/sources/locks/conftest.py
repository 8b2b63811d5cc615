"""Targets, and locks written by hand with addresses that exist nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.oci import Platform
from pycontainer.sources.locks import Lock, read_lock
from pycontainer.sources.target import Libc, PythonVersion, Target


def make_target(platform: str = "linux/amd64", python: str = "3.12.4", libc: str = "glibc:2.36") -> Target:
    return Target(platform=Platform.parse(platform), python=PythonVersion.parse(python), libc=Libc.parse(libc))


@pytest.fixture
def target() -> Target:
    return make_target()


@pytest.fixture
def targets() -> list[Target]:
    return [
        make_target("linux/amd64", "3.10.13", "glibc:2.36"),
        make_target("linux/arm64", "3.12.4", "glibc:2.28"),
        make_target("linux/amd64", "3.13.0", "musl:1.2"),
        make_target("linux/arm/v7", "3.11.0", "glibc:2.36"),
        make_target("linux/s390x", "3.14.0", "glibc:2.39"),
    ]


@pytest.fixture
def lock_at(tmp_path: Path) -> Callable[..., Lock]:
    """Write a lock file into the test's project, and read it."""

    def write(name: str, text: str, **others: str) -> Lock:
        for other, content in others.items():
            path = tmp_path / other.replace("__", "/").replace("_toml", ".toml").replace("_txt", ".txt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return read_lock(path)

    return write
