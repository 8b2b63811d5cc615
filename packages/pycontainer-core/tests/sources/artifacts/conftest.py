"""A real index on loopback, a secret."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from pycontainer.testing.index_server import IndexServer, serving

PLANTED = "hunter2-planted-secret"


@pytest.fixture
def index() -> Iterator[IndexServer]:
    with serving() as server:
        yield server


@pytest.fixture
def other_index() -> Iterator[IndexServer]:
    with serving() as server:
        yield server


def make_wheel(name: str = "demo", version: str = "1.0", tag: str = "py3-none-any", body: str = "x = 1\n") -> bytes:
    """A wheel that an installer would take."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}/__init__.py": body,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    rows = []
    for path, text in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}\n")
    members[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return out.getvalue()


@pytest.fixture
def wheel_of() -> Callable[..., bytes]:
    return make_wheel


@pytest.fixture
def planted() -> str:
    """A secret that nothing may show."""
    return PLANTED
