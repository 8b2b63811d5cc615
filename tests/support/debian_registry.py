"""Debian's `docker-registry`, started by a test."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

USER, PASSWORD = "conformance", "conformance-password"
# bcrypt of PASSWORD with the least cost, since Python lost `crypt`.
HTPASSWD = f"{USER}:$2b$04$UDyuvBaHp.dXjJV5/l4Piu2heF1zlMO2HL0iIANaO.733I8pa3yUu\n"

needs_registry = pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed")


class DebianRegistry:
    """`docker-registry serve`, on a port that it chooses; a context manager that gives its host.

    Args:
        directory: For configuration, log and storage.
        passwords: Lines of an `htpasswd` file; none lets everyone in.
    """

    def __init__(self, directory: Path, *, passwords: str | None = None) -> None:
        self._directory = directory
        # A port that is free now may be somebody else's when the program takes it: it chooses, and its log says which.
        lines = [
            "version: 0.1",
            "log: {level: info, accesslog: {disabled: true}}",
            f"storage: {{filesystem: {{rootdirectory: {directory / 'storage'}}}}}",
            "http: {addr: '127.0.0.1:0', secret: conformance}",
        ]
        if passwords is not None:
            (directory / "htpasswd").write_text(passwords)
            lines.append(f"auth: {{htpasswd: {{realm: conformance, path: {directory / 'htpasswd'}}}}}")
        (directory / "config.yml").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> str:
        with (self._directory / "log").open("wb") as log:
            command = ["docker-registry", "serve", str(self._directory / "config.yml")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not (said := re.search(r"listening on (127\.0\.0\.1:\d+)", (self._directory / "log").read_text())):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                pytest.fail(f"docker-registry did not start: {(self._directory / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
        return said.group(1)

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(60)
