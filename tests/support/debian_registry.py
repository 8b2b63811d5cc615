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

START_SECONDS, STOP_SECONDS = 300, 60  # it takes a tenth of one, but on a machine that has much else to do
LISTENING = re.compile(r'msg="listening on 127\.0\.0\.1:(?P<port>[0-9]+)"')

needs_registry = pytest.mark.skipif(shutil.which("docker-registry") is None, reason="docker-registry is not installed")


class DebianRegistry:
    """`docker-registry serve` on a free port, with its files in one directory; a context manager that gives its host.

    Args:
        directory: For configuration, log and storage.
        passwords: Lines of an `htpasswd` file; none lets everyone in.
    """

    def __init__(self, directory: Path, *, passwords: str | None = None) -> None:
        self._directory = directory
        lines = [
            "version: 0.1",
            "log: {level: info}",
            f"storage: {{filesystem: {{rootdirectory: {directory / 'storage'}}}}}",
            "http: {addr: '127.0.0.1:0', secret: conformance}",
        ]
        if passwords is not None:
            (directory / "htpasswd").write_text(passwords)
            lines.append(f"auth: {{htpasswd: {{realm: conformance, path: {directory / 'htpasswd'}}}}}")
        (directory / "config.yml").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> str:
        log = self._directory / "log"
        with log.open("wb") as output:
            command = ["docker-registry", "serve", str(self._directory / "config.yml")]
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + START_SECONDS
        while not (listening := LISTENING.search(log.read_text())):
            if time.monotonic() > deadline or self._process.poll() is not None:
                self.__exit__()
                pytest.fail(f"docker-registry did not start: {log.read_text()[-2000:]}")
            time.sleep(0.02)
        return f"127.0.0.1:{listening['port']}"

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        self._process.wait(STOP_SECONDS)
