"""Every CPython of this host that there may be bytecode for."""

from __future__ import annotations

import os
import sys
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


VERSIONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
# The main run asks all of them; of a Python beside it, there is itself to be asked.
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHERS = [pytest.param(version, marks=pytest.mark.once) for version in VERSIONS if version != OWN]


@pytest.fixture(params=[OWN, *OTHERS])
def python(request: pytest.FixtureRequest) -> HostPython:
    """Each of them in turn."""
    found = _python(request.param)
    if found is None:
        pytest.skip(f"there is no Python {request.param} on this host")
    return found
