"""Debian's `docker-registry`, started by a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from real.registry import serve

USER, PASSWORD = "conformance", "conformance-password"
# bcrypt of PASSWORD with the least cost, since Python lost `crypt`.
HTPASSWD = f"{USER}:$2b$04$UDyuvBaHp.dXjJV5/l4Piu2heF1zlMO2HL0iIANaO.733I8pa3yUu\n"

needs_registry = pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed")


@contextmanager
def debian_registry(directory: Path, *, passwords: str | None = None) -> Iterator[str]:
    """The host of a registry that keeps its files in one directory.

    Args:
        directory: For configuration, log and storage.
        passwords: Lines of an `htpasswd` file; none lets everyone in.
    """
    lines = [
        "version: 0.1",
        "log: {level: info}",
        f"storage: {{filesystem: {{rootdirectory: {directory / 'storage'}}}}}",
        "http: {addr: '127.0.0.1:0', secret: conformance}",
    ]
    if passwords is not None:
        (directory / "htpasswd").write_text(passwords)
        lines.append(f"auth: {{htpasswd: {{realm: conformance, path: {directory / 'htpasswd'}}}}}")
    with serve(directory, "\n".join(lines) + "\n") as port:
        yield f"127.0.0.1:{port}"
