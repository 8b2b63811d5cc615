"""Every CPython of this host that there may be bytecode for."""

from __future__ import annotations

import os
from functools import cache

import pytest

from pycontainer.errors import ToolError
from pycontainer.sources.bytecode import HostPython, find_python
from pycontainer.sources.target import PythonVersion


@cache
def _python(feature: str) -> HostPython | None:
    try:
        return find_python(PythonVersion.parse(feature), environment=os.environ)
    except ToolError:
        return None


@pytest.fixture(params=["3.10", "3.11", "3.12", "3.13", "3.14"])
def python(request: pytest.FixtureRequest) -> HostPython:
    """Each of them in turn."""
    found = _python(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this host")
    return found
