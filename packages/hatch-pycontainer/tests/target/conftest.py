"""A bench for Hatch; that of the tests of faults has everything but Hatch."""

from pathlib import Path

import pytest
from bench_fixtures import base, index
from hatch_bench import HatchBench

from pycontainer.testing.index_server import IndexServer

__all__ = ["base", "index"]


@pytest.fixture
def project(tmp_path: Path, base: Path, index: IndexServer) -> HatchBench:
    """A package with a script and no dependencies."""
    root = tmp_path / "project"
    root.mkdir()
    made = HatchBench(root=root, base=base, index=index)
    made.configure()
    return made
