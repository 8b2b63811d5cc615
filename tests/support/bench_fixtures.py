"""What tests of faults and bad input begin with: a bench on which the build succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench

from pycontainer.destinations.layout import LayoutDestination
from pycontainer.testing.images import debian_like
from pycontainer.testing.index_server import IndexServer, serving


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base image of Debian's and docker-library's shape."""
    path = tmp_path_factory.mktemp("base") / "layout"
    LayoutDestination(path).write(debian_like("3.12.4"))
    return path


@pytest.fixture
def index() -> Iterator[IndexServer]:
    """A package index on loopback."""
    with serving() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path, base: Path, index: IndexServer) -> Bench:
    """A project of one file that is right in every respect."""
    root = tmp_path / "project"
    root.mkdir()
    bench = Bench(root=root, base=base, index=index)
    bench.write("main.py", "print('hello')\n")
    bench.write("pyproject.toml", '[project]\nname = "app"\nversion = "1.0"\ndependencies = ["demo"]\n')
    return bench
